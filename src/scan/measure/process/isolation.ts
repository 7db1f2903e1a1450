// Files measured in processes of their own, one per lane: whatever a hostile file makes of native code (a crash, a hang, all
// of the memory) ends that process. The file gets an error, the other files their report.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { SteelyardError } from '../../../rules/error.ts';
import { moduleUrl } from '../../../runtime/package.ts';
import type { FileEntry } from '../../model/file.ts';
import type { MeasuredFile } from '../measured.ts';
import type { MeasureOptions } from '../options.ts';
import { wantedOf } from '../plan.ts';
import type { IsolatedJob, IsolatedReply } from './message.ts';

export class MeasureProcesses {
  readonly width: number;
  readonly #idle = new Set<ChildProcess>();
  readonly #all = new Set<ChildProcess>();
  readonly #options: MeasureOptions;
  readonly #signal: AbortSignal;
  readonly #done: number[] = [];
  readonly #opened: number[] = [];
  // They only read; there is nothing to finish.
  readonly #kill = (): void => {
    for (const child of this.#all) child.kill('SIGKILL');
  };

  /** `signal`: kills the processes. */
  constructor(processes: number, options: MeasureOptions, signal: AbortSignal) {
    this.width = processes;
    this.#options = options;
    this.#signal = signal;
    signal.addEventListener('abort', this.#kill);
  }

  get bytesDone(): number {
    return this.#done.reduce((sum, bytes) => sum + bytes, 0);
  }

  get bytesTotal(): number {
    return this.#opened.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** `index` of the file, from 0. Throws ABORTED before it began, and what the file or its process came to. */
  async measure(entry: FileEntry, index: number): Promise<MeasuredFile> {
    if (this.#signal.aborted) throw aborted();
    const { io = 'auto' } = this.#options;
    const child = this.#take();
    try {
      return await new Promise<MeasuredFile>((resolve, reject) => {
        child.removeAllListeners('message').on('message', (reply: IsolatedReply) => {
          if (reply.kind === 'file') resolve(reply.file);
          else if (reply.kind === 'failure') reject(new SteelyardError(reply.code, reply.message, reply));
          else [this.#done[index], this.#opened[index]] = [reply.bytesDone, reply.bytesTotal];
        });
        child.once('exit', (code, signal) => reject(this.#died(entry, signal ?? `exit code ${code}`)));
        child.once('error', (cause) => reject(this.#died(entry, cause.message)));
        child.send({ entry, io, wanted: wantedOf(this.#options) } satisfies IsolatedJob, (cause) => {
          if (cause) reject(this.#died(entry, cause.message));
        });
      });
    } finally {
      child
        .removeAllListeners('exit')
        .removeAllListeners('error')
        .on('error', () => undefined);
      if (child.connected && isRunning(child)) this.#idle.add(child);
      else this.#all.delete(child);
    }
  }

  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#kill);
    const running = [...this.#all].filter((child) => child.pid !== undefined && isRunning(child));
    const ended = Promise.all(running.map((child) => once(child, 'exit')));
    this.#kill();
    await ended;
  }

  #take(): ChildProcess {
    for (const child of this.#idle) {
      this.#idle.delete(child);
      if (child.connected) return child;
    }
    const child = fork(moduleUrl('scan/measure/process/isolated'), {
      serialization: 'advanced', // bigint and bytes as they are
      execArgv: [], // --inspect and --eval are the parent's
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#all.add(child);
    return child;
  }

  #died({ path }: FileEntry, how: string): SteelyardError {
    if (this.#options.signal?.aborted) return aborted();
    if (this.#signal.aborted) {
      const message = 'the time was over while the file was measured, and its process was killed';
      return new SteelyardError('TIMEOUT', message, { file: path });
    }
    const message = `the process that measured the file died (${how}); do not load the file, and please report it`;
    return new SteelyardError('CRASHED', message, { file: path });
  }
}

const isRunning = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode === null && signalCode === null;

const aborted = (): SteelyardError => new SteelyardError('ABORTED', 'the scan was aborted');
