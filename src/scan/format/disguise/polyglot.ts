// A weight file that is also something else. What a file is depends on who opens it: ZIP is found from the end, a script or a
// program from its first bytes, and a pickle may begin with the length bytes of a safetensors header.

import type { Violations } from '../../../document/violations.ts';
import type { ByteSource } from '../layout.ts';
import { followPickle } from './pickle.ts';

/** For files whose header could be read: they are weight files whatever else they are. */
export function checkPolyglot(source: ByteSource, violations: Violations): void {
  const zip = findZipEnd(source);
  if (zip !== null) {
    violations.report('file/polyglot', `the file can be opened as a ZIP archive of ${zip.entries} entries`, {
      offset: zip.offset,
    });
  }
  const head = Buffer.from(source.read(0, Math.min(source.size, HEAD)));
  if (isScript(head)) report('a script: it begins with #!');
  else if (isProgram(head, source)) report('a Windows program');
  else {
    const pickle = followPickle(source, 0, PICKLE_OPCODES);
    // Without an import it is harmless, and one honest file in some thousands ends by chance in a STOP.
    if (pickle?.imports != null) report(`a pickle that imports ${pickle.imports}`);
    else if (pickle !== null && !pickle.complete) report('a pickle of very many opcodes');
  }

  function report(what: string): void {
    violations.report('file/polyglot', `the file can be run or loaded as ${what}`, { offset: 0 });
  }
}

const HEAD = 64;
const PICKLE_OPCODES = 200_000;
const END_SIZE = 22;
const COMMENT_MAX = 65_535;
const END_MAGIC = Buffer.from('PK\x05\x06', 'latin1');
const ZIP64_LOCATOR = Buffer.from('PK\x06\x07', 'latin1');
const DIRECTORY_MAGIC = 0x02014b50;

interface ZipEnd {
  readonly offset: number;
  readonly entries: number;
}

/** The last end record whose directory lies in the file: what archive readers look for, and in the same place. */
function findZipEnd(source: ByteSource): ZipEnd | null {
  const size = Math.min(source.size, END_SIZE + COMMENT_MAX);
  const start = source.size - size;
  const tail = Buffer.from(source.read(start, size));
  for (
    let at = tail.lastIndexOf(END_MAGIC);
    at >= 0;
    at = at === 0 ? -1 : tail.lastIndexOf(END_MAGIC, at - 1)
  ) {
    if (at + END_SIZE > size) continue;
    const entries = tail.readUInt16LE(at + 10);
    const directorySize = tail.readUInt32LE(at + 12);
    const end = start + at;
    const is64 = at >= 20 && tail.subarray(at - 20, at - 16).equals(ZIP64_LOCATOR);
    if (is64 || isDirectory(source, end, entries, directorySize, tail.readUInt32LE(at + 16))) {
      return { offset: end, entries };
    }
  }
  return null;
}

/** The directory ends where its end record begins; its own offset may be wrong by what was put before the archive. */
function isDirectory(
  source: ByteSource,
  end: number,
  entries: number,
  size: number,
  offset: number,
): boolean {
  if (size > end || offset > end - size) return false;
  if (size === 0) return entries === 0;
  if (size < 46) return false;
  return Buffer.from(source.read(end - size, 4)).readUInt32LE() === DIRECTORY_MAGIC;
}

// Chance: a header length that ends in 0x2123 is odd, and writers align headers.
const isScript = (head: Buffer): boolean => /^#![ !-~]/.test(head.toString('latin1', 0, 3));

function isProgram(head: Buffer, source: ByteSource): boolean {
  if (head.length < HEAD || head.toString('latin1', 0, 2) !== 'MZ') return false;
  const header = head.readUInt32LE(60);
  if (header > source.size - 4) return false;
  return Buffer.from(source.read(header, 4)).readUInt32LE() === 0x4550;
}
