// Files that are cut at any moment of a scan, to any length, mapped and read: never a signal, never a pass. STEELYARD_RUNS sets
// how many of each.
import { readdirSync, readlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import t from 'tap';
import { patience } from '../../kit/patience.ts';
import { type Ended, steelyard, writeSparse } from '../../kit/steelyard.ts';

const RUNS = Number(process.env.STEELYARD_RUNS ?? 8);
const SEED = Number(process.env.STEELYARD_SEED ?? 1);
/** A fifth of a second of work. */
const SIZE = 2 ** 28;
const LATEST = 30; // ms after the file was opened

t.setTimeout(patience(RUNS * 60_000));

// Not fc.double, which draws from the patterns of bits: nearly all of those are nearly 0.
const moment = fc.noBias(fc.nat({ max: 2 ** 31 - 1 })).map((at) => at / 2 ** 31);
// More than are needed: where others work too, some come after the scan.
const cuts = fc.sample(fc.record({ when: moment, size: moment }), { numRuns: 10 * RUNS, seed: SEED });

for (const io of ['mmap', 'pread']) {
  t.test(io, { skip: process.platform === 'linux' ? false : 'NOT TESTED: needs /proc' }, async (t) => {
    const file = join(t.testdir({}), 'model.safetensors');
    const outcomes = new Map<string, number>();
    let during = 0;
    for (const { when, size } of cuts) {
      if (during === RUNS) break;
      writeSparse(file, SIZE);
      let late = false;
      const ended = await steelyard(['scan', '--io', io, file], {}, async (child) => {
        while (!hasOpen(child.pid!, file) && child.exitCode === null) await pause(1); // reading the header takes a millisecond
        await pause(when * LATEST);
        truncateSync(file, Math.floor(size * SIZE));
        late = !hasOpen(child.pid!, file);
      });
      const outcome = late ? 'cut after the scan' : outcomeOf(ended);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (!late) during++;
    }
    // Cut before its size was taken it is not a changed file but a malformed one, and that is said for certain.
    const lawful = ['cut after the scan', 'exit 2, FILE_CHANGED', 'exit 1, malformed'];
    for (const outcome of outcomes.keys()) t.ok(lawful.includes(outcome), outcome);
    t.equal(during, RUNS);
    t.ok(outcomes.get('exit 2, FILE_CHANGED')! > RUNS / 2, 'most were cut after their size was taken');
    t.comment(`${io}, seed ${SEED}: ${JSON.stringify(Object.fromEntries(outcomes))}`);
  });
}

function outcomeOf({ code, signal, stdout }: Ended): string {
  if (signal !== null) return `signal ${signal}`;
  const malformed = /tensor\/out-of-bounds|header\/truncated|file\/empty/.test(stdout);
  const reason = stdout.includes('FILE_CHANGED') ? 'FILE_CHANGED' : malformed ? 'malformed' : stdout;
  return `exit ${code}, ${reason}`;
}

function hasOpen(pid: number, file: string): boolean {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).some((fd) => linkOf(join(folder, fd)) === file);
  } catch {
    return false; // the process has ended
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed meanwhile
  }
}
