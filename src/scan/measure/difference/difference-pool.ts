// The worker threads that hold tensors against each other: a job is a pair.
import { Crew } from '../thread/crew.ts';
import measureDifference, { type DifferenceJob, type DifferenceReply } from './difference-worker.ts';

/** Elements of pairs that take less time than a worker's answer: norms and biases, of which a model has many. */
const IN_PLACE = 1 << 14;

export class DifferencePool {
  readonly #crew: Crew<DifferenceJob, DifferenceReply>;

  /** Throws NATIVE_UNAVAILABLE. */
  constructor(threads: number, signal: AbortSignal | undefined) {
    this.#crew = new Crew('scan/measure/difference/difference-worker', 'comparison', threads, 1, signal);
  }

  /** Of all pairs, both sides. */
  get bytesDone(): number {
    return Number(this.#crew.control[1]);
  }

  /** Throws ABORTED. */
  async measure(asked: Omit<DifferenceJob, 'control'>): Promise<DifferenceReply> {
    this.#crew.assertGoing();
    const job = { ...asked, control: this.#crew.control };
    const isSmall = job.shape.reduce((count, size) => count * size, 1) <= IN_PLACE;
    const reply = isSmall ? measureDifference(job) : await this.#crew.run(job);
    if (reply.outcome === 'aborted') this.#crew.assertGoing();
    return reply;
  }

  close(): Promise<void> {
    return this.#crew.close();
  }
}
