// What of a model has arrived and is on the disk, for the next pull after this one was killed. It is believed for what need not be
// fetched again, and for nothing else: every byte is hashed when all are there.

import { createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Source } from '../../source/source.ts';

export interface Ledger {
  /** Digest of the listing: another version of the source is another listing. */
  readonly listing: string;
  /** Numbers of the pieces that are there, by path. */
  readonly pieces: ReadonlyMap<string, ReadonlySet<number>>;
}

/** Of how files are cut into pieces: the numbers of another way say nothing. */
const CUT = 2;

/** Where nothing pins the source, no two listings are the same. */
export function listingOf({ uri, pin, files }: Source): string {
  const listed = files.map(({ path, size, pin: version, expected }) => [
    path,
    size,
    version,
    expected?.value,
  ]);
  const salt = pin.kind === 'none' ? `${process.pid} ${performance.timeOrigin} ${performance.now()}` : '';
  return createHash('sha256')
    .update(JSON.stringify([CUT, uri, pin, listed, salt]))
    .digest('hex');
}

const fileOf = (folder: string): string => join(folder, 'ledger.json');

export function writeLedger(folder: string, { listing, pieces }: Ledger): void {
  const text = JSON.stringify({ listing, pieces: [...pieces].map(([path, done]) => [path, [...done]]) });
  writeFileSync(`${fileOf(folder)}.new`, text, { mode: 0o600 });
  renameSync(`${fileOf(folder)}.new`, fileOf(folder));
}

export const forgetLedger = (folder: string): void => rmSync(fileOf(folder), { force: true });

/** null: there is none that can be read. */
export function readLedger(folder: string): Ledger | null {
  try {
    const { listing, pieces } = JSON.parse(readFileSync(fileOf(folder), 'utf8'));
    return {
      listing,
      pieces: new Map(pieces.map(([path, done]: [string, number[]]) => [path, new Set(done)])),
    };
  } catch {
    return null;
  }
}
