// Where only low bits changed: do they, read one after the other, make a file of their own?
import { dtypeByName } from '../../scan/dtype.ts';
import { recognize } from '../../scan/format/disguise/magic.ts';
import type { ModelFile } from '../../scan/model/file.ts';
import type { TensorProfile } from '../../scan/profile/profile.ts';
import type { TensorChange } from '../report/diff-report.ts';
import { highestBit } from './bits.ts';

/** Elements that are looked at, from shortly before the first that changed: a header stands at the beginning. */
const LOOKED_AT = 1 << 18;
/** A first byte may be the one that stood there before; and eight elements make a byte of bits. */
const ALIGNED = 4096;

/** What is hidden there ('an ELF program'), as far as its header proves it. */
export function payloadIn(change: TensorChange, tensor: TensorProfile, file: ModelFile): string | null {
  const { difference } = change;
  const size = dtypeByName(tensor.dtype)!.blockSize;
  const top = highestBit(change);
  if (difference === null || top === null || difference.firstChanged === null) return null;
  const first = difference.firstChanged - (difference.firstChanged % ALIGNED);
  const count = Math.min(LOOKED_AT, difference.count - first);
  const bytes = file.read(tensor.start + first * size, count * size);
  const bits = top + 1;
  const readings = [
    ...(bits >= 8 ? Array.from({ length: bits >> 3 }, (_, k) => lowBytes(bytes, size, k + 1)) : []),
    ...(bits < 8 || bits % 8 !== 0 ? [lowBytes(bytes, size, (bits >> 3) + 1)] : []),
    ...(bits <= 4 ? [packed(bytes, size, bits, true), packed(bytes, size, bits, false)] : []),
  ];
  for (const reading of readings) {
    const found = recognize(reading);
    if (found !== null) return found.what;
  }
  return null;
}

/** The first `kept` bytes of every element; dtypes are little-endian. */
function lowBytes(bytes: Uint8Array, size: number, kept: number): Uint8Array {
  const low = new Uint8Array((bytes.length / size) * kept);
  for (let i = 0; i < low.length; i++) low[i] = bytes[Math.floor(i / kept) * size + (i % kept)]!;
  return low;
}

/** The low bits of every element, one after the other, into bytes from their top or from their bottom. */
function packed(bytes: Uint8Array, size: number, bits: number, topFirst: boolean): Uint8Array {
  const packed = new Uint8Array(Math.floor(((bytes.length / size) * bits) / 8));
  for (let at = 0; at < packed.length * 8; at++) {
    const element = bytes[Math.floor(at / bits) * size]!;
    const bit = (element >> (topFirst ? bits - 1 - (at % bits) : at % bits)) & 1;
    packed[at >> 3]! |= bit << (topFirst ? 7 - (at & 7) : at & 7);
  }
  return packed;
}
