// Threads that run one module. A scan of small files never starts one.
import type { Piscina } from 'piscina';
import { late } from '../../../runtime/loading.ts';
import { moduleUrl } from '../../../runtime/package.ts';

/** `idle`: milliseconds that a worker waits for more to do before it ends; starting one takes a hundred. */
export function startWorkers<Job, Reply>(module: string, threads: number, idle = 0): Piscina<Job, Reply> {
  const { Piscina } = late<typeof import('piscina')>('piscina');
  return new Piscina({
    filename: moduleUrl(module).href,
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: idle,
  });
}
