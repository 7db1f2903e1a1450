// Files inside of files: the members of a ZIP (PyTorch, npz, Keras, wheels) or a tar (NeMo), and the beginning of a compressed
// stream. Directories are claims: each is compared with the file that is there, and there is an end to how many are read.
import { gunzipSync, inflateRawSync, inflateSync, constants as zlib } from 'node:zlib';
import { memory } from '../format/disguise/magic.ts';
import type { ByteSource } from '../format/layout.ts';

interface Member {
  readonly name: string;
  /** null: packed in a way that is not read here, or more than is unpacked. */
  open(): ByteSource | null;
}

/** What is left of what one file may cost. */
export interface Budget {
  unpacked: number;
  members: number;
  opcodes: number;
}

export const budgetOfFile = (): Budget => ({ unpacked: 64 * 2 ** 20, members: 100_000, opcodes: 1_000_000 });

/** `whole`: every member is among them. */
interface Members {
  readonly members: readonly Member[];
  readonly whole: boolean;
}

const DIRECTORY = 16 * 2 ** 20;
/** Bytes that are unpacked of one member. */
const UNPACKED = 8 * 2 ** 20;
const END_SIZE = 22;
const COMMENT = 65_535;

/** null: there is no directory at the end of the file. */
export function zipMembers(source: ByteSource, budget: Budget): Members | null {
  const tail = Math.min(source.size, END_SIZE + COMMENT);
  const base = source.size - tail;
  const bytes = Buffer.from(source.read(base, tail));
  const at = bytes.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (at < 0 || at + END_SIZE > bytes.length) return null;
  const end = base + at;
  const { start, size, shift } = directoryOf(source, bytes.subarray(at), end);
  if (!(start >= 0 && size >= 0 && start + size <= end)) return null;
  const directory = Buffer.from(source.read(start, Math.min(size, DIRECTORY)));
  const members: Member[] = [];
  let next = 0;
  while (
    next + 46 <= directory.length &&
    directory.readUInt32LE(next) === 0x02014b50 &&
    budget.members-- > 0
  ) {
    const length = directory.readUInt16LE(next + 28);
    const extra = directory.readUInt16LE(next + 30);
    members.push(zipMember(source, shift, directory.subarray(next), length, extra, budget));
    next += 46 + length + extra + directory.readUInt16LE(next + 32);
  }
  return { members, whole: next === size };
}

interface Directory {
  readonly start: number;
  readonly size: number;
  /** Bytes that stand before the archive: its offsets do not count them. */
  readonly shift: number;
}

const NONE: Directory = { start: -1, size: -1, shift: 0 };

/** It ends where its end record begins, as Python looks for it. */
function directoryOf(source: ByteSource, end: Buffer, at: number): Directory {
  const [size, offset] = [end.readUInt32LE(12), end.readUInt32LE(16)];
  const before = (where: number, length: number, claimed: number): Directory => {
    const start = where - length;
    return start >= claimed ? { start, size: length, shift: start - claimed } : NONE;
  };
  if (offset !== 0xffffffff && size !== 0xffffffff) return before(at, size, offset);
  // ZIP64: a locator stands before the end record and says where the larger record is.
  if (at < 20) return NONE;
  const locator = Buffer.from(source.read(at - 20, 20));
  const record = Number(locator.readBigUInt64LE(8));
  if (locator.readUInt32LE(0) !== 0x07064b50 || !(record + 56 <= source.size)) return NONE;
  const large = Buffer.from(source.read(record, 56));
  if (large.readUInt32LE(0) !== 0x06064b50) return NONE;
  return before(record, Number(large.readBigUInt64LE(40)), Number(large.readBigUInt64LE(48)));
}

function zipMember(
  source: ByteSource,
  shift: number,
  entry: Buffer,
  length: number,
  extra: number,
  budget: Budget,
): Member {
  const name = entry.toString('utf8', 46, 46 + length);
  const open = (): ByteSource | null => {
    const large = zip64(entry.subarray(46 + length, 46 + length + extra));
    const [unpacked, packed, claimed] = [24, 20, 42].map((field) => {
      const value = entry.readUInt32LE(field);
      return value === 0xffffffff ? (large.shift() ?? Number.NaN) : value;
    }) as [number, number, number];
    const offset = claimed + shift;
    const encrypted = (entry.readUInt16LE(8) & 1) !== 0;
    if (encrypted || !(offset + 30 <= source.size)) return null;
    const local = Buffer.from(source.read(offset, 30));
    if (local.readUInt32LE(0) !== 0x04034b50) return null;
    const start = offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
    if (!(start + packed <= source.size)) return null;
    const method = entry.readUInt16LE(10);
    if (method === 0) return part(source, start, packed);
    const most = Math.min(UNPACKED, budget.unpacked);
    if (method !== 8 || packed > most || unpacked > most) return null;
    const bytes = unpack(() => inflateRawSync(source.read(start, packed), unpacking(most)));
    budget.unpacked -= bytes?.length ?? most;
    return bytes && memory(bytes);
  };
  return { name, open };
}

/** The 64-bit fields that stand in place of those that are all ones, in their order. */
function zip64(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; ) {
    const size = extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 1) {
      const values: number[] = [];
      for (let i = at + 4; i + 8 <= Math.min(at + 4 + size, extra.length); i += 8)
        values.push(Number(extra.readBigUInt64LE(i)));
      return values;
    }
    at += 4 + size;
  }
  return [];
}

/** null: not a tar. */
export function tarMembers(source: ByteSource, budget: Budget): Members | null {
  const members: Member[] = [];
  let at = 0;
  while (at + 512 <= source.size && budget.members-- > 0) {
    const header = Buffer.from(source.read(at, 512));
    if (header[0] === 0) return { members, whole: true };
    if (header.toString('latin1', 257, 262) !== 'ustar') return at === 0 ? null : { members, whole: false };
    const digits = header.toString('latin1', 124, 136).replace(/[\0 ]+$/, '');
    const size = /^[0-7]{1,12}$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
    if (!(at + 512 + size <= source.size)) return { members, whole: false };
    const name = header.toString('utf8', 0, 100).split('\0')[0]!;
    const start = at + 512;
    if ('\x000'.includes(header.toString('latin1', 156, 157)))
      members.push({ name, open: () => part(source, start, size) });
    at += 512 + 512 * Math.ceil(size / 512);
  }
  return members.length === 0 ? null : { members, whole: at + 512 > source.size };
}

const part = (source: ByteSource, start: number, size: number): ByteSource => ({
  size,
  read: (at, count) => source.read(start + at, count),
});

/** The beginning of what a gzip or zlib stream holds; null: neither. */
export function unpackedStart(
  source: ByteSource,
  budget: Budget,
): { readonly bytes: Buffer; readonly whole: boolean } | null {
  const most = Math.min(UNPACKED, budget.unpacked);
  // So much of the packed bytes that no more comes out than may: deflate makes at most 1,032 bytes of one.
  for (let size = Math.min(source.size, most); size > 0; size = size >> 5) {
    const packed = source.read(0, size);
    const gzip = packed[0] === 0x1f && packed[1] === 0x8b;
    const bytes = unpack(() =>
      gzip ? gunzipSync(packed, unpacking(most)) : inflateSync(packed, unpacking(most)),
    );
    if (bytes === null) continue;
    budget.unpacked -= bytes.length;
    return { bytes, whole: size === source.size };
  }
  return null;
}

const unpacking = (most: number) => ({ maxOutputLength: Math.max(1, most), finishFlush: zlib.Z_SYNC_FLUSH });

/** null: damaged, or more comes out than was asked for. */
function unpack(action: () => Buffer): Buffer | null {
  try {
    return action();
  } catch {
    return null;
  }
}
