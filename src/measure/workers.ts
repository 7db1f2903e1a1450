// Threads that run a module of this room. A scan of small files never starts one.
import type { Piscina } from 'piscina';
import { late } from '../loading.ts';

export function startWorkers<Job, Reply>(module: string, threads: number): Piscina<Job, Reply> {
  const { Piscina } = late<typeof import('piscina')>('piscina');
  return new Piscina({
    filename: new URL(`./${module}.js`, import.meta.url).href,
    minThreads: 0,
    maxThreads: threads,
  });
}
