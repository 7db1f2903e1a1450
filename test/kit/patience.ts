// Time on a machine that others use too: work is measured in CPU time, and waiting scales with the load.
import { availableParallelism, loadavg } from 'node:os';

/** Milliseconds of this process's CPU that `work` took. */
export function cpuTime(work: () => void): number {
  const begun = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}

/** How long to wait, in the unit given, for what takes at most `quiet` on a machine that does nothing else. */
export const patience = (quiet: number): number =>
  Math.ceil(quiet * Math.min(20, 1 + (loadavg()[0]! * 2) / availableParallelism()));
