// One pull at a time for each output. The claim names a process and when it began, so that one that was killed holds nothing, even
// if another process has its number by now.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, SteelyardError } from '../../rules/error.ts';

const fileOf = (folder: string): string => join(folder, 'claim');

/** Throws USAGE: somebody else is at work. */
export function claim(folder: string): void {
  for (let tries = 0; ; tries++) {
    try {
      writeFileSync(fileOf(folder), `${process.pid} ${begun(process.pid)}`, {
        flag: 'wx',
        mode: 0o600,
      });
      return;
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST' || tries === 3) throw error;
    }
    const holder = holderOf(folder);
    if (holder !== null)
      throw new SteelyardError(
        'USAGE',
        `process ${holder} is pulling to the same place; wait for it, or name another folder`,
      );
    release(folder);
  }
}

export const release = (folder: string): void => rmSync(fileOf(folder), { force: true });

/** The process that holds a claim; null: it is gone. */
function holderOf(folder: string): number | null {
  const [pid, since] = readFileSync(fileOf(folder), 'utf8').split(' ');
  const holder = Number(pid);
  if (!Number.isSafeInteger(holder) || holder <= 0) return null;
  // One of this process's own: two pulls in one program.
  return isAlive(holder) && begun(holder) === since ? holder : null;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}

/** When a process began, in ticks since boot; empty where the system does not say. */
function begun(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
