// Threads that run one module. A scan of small files never starts one.
import type { Piscina } from 'piscina';
import { late } from '../../../runtime/loading.ts';
import { moduleUrl } from '../../../runtime/package.ts';

export function startWorkers<Job, Reply>(module: string, threads: number): Piscina<Job, Reply> {
  const { Piscina } = late<typeof import('piscina')>('piscina');
  return new Piscina({
    filename: moduleUrl(module).href,
    minThreads: 0,
    maxThreads: threads,
  });
}
