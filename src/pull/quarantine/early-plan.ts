// What is measured of a weight file, said by its beginning.
import { readSync } from 'node:fs';
import { detectFormat } from '../../scan/format/format.ts';
import type { Layout, Unreadable } from '../../scan/format/layout.ts';
import { planRanges, type Wanted } from '../../scan/measure/plan.ts';
import { earlyLayout } from '../peek/prefix.ts';

/** Smaller files are measured when they are there: in less time than a worker takes to begin. */
const LEAST = 2 ** 20;
/** Most headers have no more; one that has is read again when twice as much is there. */
const FIRST = 64 * 1024;
/** A header that is longer is read when the file is there. */
const MOST = 256 * 2 ** 20;

interface EarlyPlan {
  readonly header: Layout | Unreadable;
  readonly ranges: Float64Array;
}

/** Whether a file is worth it to be measured before it is there. */
export const isFollowed = ({ path, size }: { readonly path: string; readonly size: number }): boolean =>
  size >= LEAST && detectFormat(path, new Uint8Array()) !== null;

/** Bytes that the first look at a header needs. */
export const firstLook = (size: number): number => Math.min(FIRST, size);

/** Of a file of `size` bytes, of which the first `available` are there. A number: how many the next look needs; infinite: there is none. */
export async function planEarly(
  descriptor: number,
  path: string,
  size: number,
  available: number,
  wanted: Wanted,
): Promise<EarlyPlan | number> {
  const bytes = readPrefix(descriptor, available);
  const early = await earlyLayout(detectFormat(path, bytes)!, bytes, size);
  if (typeof early === 'number') return early > MOST ? Number.POSITIVE_INFINITY : early;
  const { header, parsed } = early;
  const layout = header.headerSize === null ? null : header;
  return { header, ranges: planRanges(layout, Math.min(parsed, layout?.headerSize ?? 0), wanted).ranges };
}

function readPrefix(descriptor: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(size);
  for (let done = 0; done < size; ) {
    const got = readSync(descriptor, bytes, done, size - done, done);
    if (got === 0) return bytes.subarray(0, done); // cut by somebody else; the scan will say so
    done += got;
  }
  return bytes;
}
