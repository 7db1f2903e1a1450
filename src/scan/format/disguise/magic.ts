// Recognises files of other formats inside bytes that should hold nothing. A magic of two or three bytes occurs by chance in
// every megabyte, so each is followed by a look at the structure behind it.
import { inflateRawSync, constants as zlib } from 'node:zlib';
import type { ByteSource } from '../layout.ts';
import { followPickle } from './pickle.ts';

export type Kind = 'program' | 'archive' | 'pickle' | 'compressed' | 'document' | 'weights';

export interface Recognized {
  readonly kind: Kind;
  readonly what: string;
  /** Position in the bytes given. */
  readonly at: number;
}

interface Magic {
  readonly kind: Kind;
  readonly what: string;
  readonly bytes: Buffer;
  /** What must hold beside the magic at `at`. */
  readonly holds: (bytes: Buffer, at: number) => boolean;
}

/** The first file of another format inside `bytes`. */
export function recognize(bytes: Uint8Array): Recognized | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let first = recognizeStart(buffer);
  for (const magic of MAGICS) {
    const at = positionOf(magic, buffer, first?.at ?? buffer.length);
    if (at >= 0) first = { kind: magic.kind, what: magic.what, at };
  }
  return first;
}

/** What the bytes are from their very beginning: also formats without a magic that could be searched for. */
export function recognizeStart(bytes: Uint8Array): Recognized | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const found = MAGICS.find((magic) => isAt(magic, buffer, 0));
  if (found !== undefined) return { kind: found.kind, what: found.what, at: 0 };
  if (SHEBANG.test(buffer.toString('latin1', 0, 64))) return { kind: 'program', what: 'a script', at: 0 };
  if (beginsSafetensors(buffer)) return { kind: 'weights', what: 'a safetensors header', at: 0 };
  const pickle = followPickle(memory(buffer));
  return pickle?.imports == null
    ? null
    : { kind: 'pickle', what: `a pickle that imports ${pickle.imports}`, at: 0 };
}

const SHEBANG = /^#! ?\/[a-z]{2,}/;
const CANDIDATES = 16;
const LONGEST_HEADER = 100_000_000;

function isAt({ bytes, holds }: Magic, buffer: Buffer, at: number): boolean {
  return buffer.subarray(at, at + bytes.length).equals(bytes) && holds(buffer, at);
}

function positionOf(magic: Magic, buffer: Buffer, before: number): number {
  let at = -1;
  for (let i = 0; i < CANDIDATES; i++) {
    at = buffer.indexOf(magic.bytes, at + 1);
    if (at < 0 || at >= before) return -1;
    if (magic.holds(buffer, at)) return at;
  }
  return -1;
}

const has = (bytes: Buffer, at: number, size: number): boolean => at + size <= bytes.length;
const whole = (): boolean => true;

function isElf(bytes: Buffer, at: number): boolean {
  if (!has(bytes, at, 54)) return false;
  const [bits, order, version] = bytes.subarray(at + 4, at + 7);
  if ((bits !== 1 && bits !== 2) || (order !== 1 && order !== 2) || version !== 1) return false;
  const u16 = (offset: number): number =>
    order === 1 ? bytes.readUInt16LE(at + offset) : bytes.readUInt16BE(at + offset);
  return u16(16) <= 4 && (bits === 1 ? u16(40) === 52 : u16(52) === 64);
}

function isPe(bytes: Buffer, at: number): boolean {
  if (!has(bytes, at, 64)) return false;
  const header = at + bytes.readUInt32LE(at + 60);
  return has(bytes, header, 6) && bytes.readUInt32LE(header) === 0x4550;
}

function isMachO(bytes: Buffer, at: number): boolean {
  if (!has(bytes, at, 28)) return false;
  const fileType = bytes.readUInt32LE(at + 12);
  return fileType >= 1 && fileType <= 12 && bytes.readUInt32LE(at + 16) < 10_000;
}

const ZIP_METHODS = new Set([0, 8, 9, 12, 14, 93, 95, 98, 99]);

function isZip(bytes: Buffer, at: number): boolean {
  if (!has(bytes, at, 30)) return false;
  const nameSize = bytes.readUInt16LE(at + 26);
  const plausible = bytes.readUInt16LE(at + 4) <= 63 && ZIP_METHODS.has(bytes.readUInt16LE(at + 8));
  return plausible && nameSize > 0 && nameSize <= 4096 && has(bytes, at + 30, nameSize);
}

function isGzip(bytes: Buffer, at: number): boolean {
  if (!has(bytes, at, 18)) return false;
  const [flags, system] = [bytes[at + 3]!, bytes[at + 9]!];
  if (flags > 31 || (system > 13 && system !== 255)) return false;
  // RFC 1952: an extra field, a name, a comment, a checksum of the header.
  let start = at + 10;
  if (flags & 4) start += 2 + bytes.readUInt16LE(start);
  for (const text of [8, 16]) if (flags & text) start = bytes.indexOf(0, start) + 1 || bytes.length;
  if (flags & 2) start += 2;
  const options = { maxOutputLength: INFLATED, finishFlush: zlib.Z_SYNC_FLUSH };
  try {
    return inflateRawSync(bytes.subarray(start, start + INFLATED), options).length > 0;
  } catch (error) {
    // More comes out than was asked for: a gzip stream, and perhaps a bomb.
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
  }
}

const INFLATED = 65_536;
const LEAST_PICKLE = 16; // chance makes short ones: \x80 2 N .

function isPickle(bytes: Buffer, at: number): boolean {
  const pickle = followPickle(memory(bytes), at);
  return pickle !== null && (pickle.imports !== null || pickle.size >= LEAST_PICKLE);
}

function isGguf(bytes: Buffer, at: number): boolean {
  if (!has(bytes, at, 24)) return false;
  const version = bytes.readUInt32LE(at + 4);
  const counts = bytes.readUInt32LE(at + 12) + bytes.readUInt32LE(at + 20);
  return version >= 1 && version <= 3 && counts === 0;
}

function beginsSafetensors(bytes: Buffer): boolean {
  if (bytes.length < 10 || bytes[8] !== 0x7b) return false;
  const length = bytes.readBigUInt64LE();
  return length >= 2 && length <= LONGEST_HEADER && (bytes[9] === 0x22 || bytes[9] === 0x7d);
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const magic = (kind: Kind, what: string, text: string, holds: Magic['holds'] = whole): Magic => ({
  kind,
  what,
  bytes: latin1(text),
  holds,
});

const MAGICS: readonly Magic[] = [
  magic('program', 'an ELF program', '\x7fELF', isElf),
  magic('program', 'a Windows program', 'MZ', isPe),
  magic('program', 'a Mach-O program', '\xcf\xfa\xed\xfe', isMachO),
  magic('program', 'a WebAssembly module', '\0asm\x01\0\0\0'),
  magic('archive', 'a ZIP archive', 'PK\x03\x04', isZip),
  magic('archive', 'a 7z archive', '7z\xbc\xaf\x27\x1c'),
  magic('archive', 'a RAR archive', 'Rar!\x1a\x07'),
  ...[2, 3, 4, 5].map((p) => magic('pickle', 'a pickle', `\x80${String.fromCharCode(p)}`, isPickle)),
  magic('compressed', 'a gzip stream', '\x1f\x8b\x08', isGzip),
  magic('compressed', 'a zstd frame', '\x28\xb5\x2f\xfd', (bytes, at) => ((bytes[at + 4] ?? 8) & 8) === 0),
  magic('compressed', 'an xz stream', '\xfd7zXZ\0'),
  magic('document', 'a PDF', '%PDF-', (bytes, at) =>
    /^[12]\.\d/.test(bytes.toString('latin1', at + 5, at + 8)),
  ),
  magic('document', 'a PNG image', '\x89PNG\r\n\x1a\n'),
  magic('document', 'an SQLite database', 'SQLite format 3\0'),
  magic('document', 'an HDF5 file', '\x89HDF\r\n\x1a\n'),
  magic('document', 'a NumPy array', '\x93NUMPY'),
  magic('weights', 'a GGUF file', 'GGUF', isGguf),
];

/** Bytes in memory as the readers want them. */
export function memory(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: (start, size) => bytes.subarray(start, start + size) };
}
