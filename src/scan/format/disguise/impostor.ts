// What stands under the name of a weight file and is none: an unfinished download, a format of former times, a pickle. Asked
// only where no header could be read; the answer replaces the reader's, because "the header claims 3,472,328,296,227,680,304
// bytes" is true of an error page and helps nobody.
import { isUtf8 } from 'node:buffer';
import { quoted, type Violation } from '../../../document/violations.ts';
import type { ByteSource, Format } from '../layout.ts';
import { type Kind, recognizeStart } from './magic.ts';
import { followPickle } from './pickle.ts';

export function impostorOf(format: Format, source: ByteSource): Violation | null {
  if (source.size === 0) return { rule: 'file/empty', message: 'the file has no bytes', offset: 0 };
  const head = Buffer.from(source.read(0, Math.min(source.size, HEAD)));
  const found = zeros(head) ?? formerOf(head) ?? pickleOf(source) ?? textOf(head) ?? otherOf(format, head);
  return found === null ? null : { ...found, offset: 0 };
}

const HEAD = 4096;
const LEAST_ZEROS = 16;
const LEAST_PICKLE = 16;

const zeros = (head: Buffer): Violation | null =>
  head.length >= LEAST_ZEROS && head.every((byte) => byte === 0)
    ? { rule: 'file/zeros', message: `the first ${head.length} bytes are all zero` }
    : null;

// llama.cpp before August 2023: the magics as little-endian u32, so reversed on disk.
const FORMER = new Map([
  ['lmgg', 'GGML, without a version'],
  ['fmgg', 'GGMF'],
  ['tjgg', 'GGJT'],
  ['algg', 'GGLA, a LoRA adapter'],
]);

function formerOf(head: Buffer): Violation | null {
  const magic = head.toString('latin1', 0, 4);
  // Both byte orders: some tools wrote the letters as they are read.
  const former = FORMER.get(magic) ?? FORMER.get([...magic].reverse().join(''));
  if (former !== undefined) return { rule: 'file/ggml-legacy', message: `the file is ${former}` };
  if (magic === 'FUGG') return { rule: 'gguf/magic-reversed', message: 'the file begins with FUGG' };
  if (magic !== 'GGUF' || head.length < 8 || head.readUInt32LE(4) !== 1) return null;
  return { rule: 'gguf/version-1', message: 'the file is GGUF version 1', expected: '2 or 3', actual: '1' };
}

const LFS = /^version https:\/\/(git-lfs\.github\.com|hawser\.github\.com)\/spec\//;
const PAGE = /^(<!doctype|<html|<head|<body|<\?xml|<error>|<script)/i;
const JSON_TEXT = /^(\{\s*"|\{\s*\}|\[)/;

function textOf(head: Buffer): Violation | null {
  const text = head.toString('utf8', 0, 1024).replace(/^\uFEFF?\s*/, '');
  if (LFS.test(text)) {
    const oid = /\boid sha256:([0-9a-f]{64})\b/.exec(text)?.[1];
    const message =
      oid === undefined ? 'a Git LFS pointer' : `a Git LFS pointer to the file with sha256:${oid}`;
    return { rule: 'file/lfs-pointer', message };
  }
  if (PAGE.test(text)) return { rule: 'file/text', message: 'an HTML or XML page' };
  if (JSON_TEXT.test(text))
    return { rule: 'file/text', message: 'a JSON text without the length of a header before it' };
  // "Entry not found", "Access denied": what servers answer in plain text.
  if (head.length <= 1024 && head.length > 0 && PLAIN.test(head.toString('latin1'))) {
    return { rule: 'file/text', message: `a plain text of ${head.length} bytes` };
  }
  if (
    head.length < LEAST_TEXT ||
    /^#!/.test(text) ||
    !isUtf8(head.subarray(0, whole(head))) ||
    CONTROL.test(text)
  )
    return null;
  if (LINK.test(text.trimEnd()))
    return {
      rule: 'file/text',
      message: `a symbolic link that was checked out as a text file: ${quoted(text.trimEnd())}`,
    };
  return { rule: 'file/text', message: `a text that begins with ${quoted(text.slice(0, 60))}` };
}

const LEAST_TEXT = 12;

/** One line that is a path. */
const LINK = /^(?:\.{0,2}\/)[\w./+@-]{1,1000}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\x00-\x08\x0e-\x1f\x7f]/;

/** So many bytes that no character is cut at the end. */
function whole(head: Buffer): number {
  let end = head.length;
  while (end > 0 && end > head.length - 3 && (head[end - 1]! & 0xc0) === 0x80) end--;
  return end > 0 && head[end - 1]! >= 0xc0 ? end - 1 : head.length;
}

const PLAIN = /^(?!#!)[A-Za-z][\t\r\n -~]{3,}$/;

function pickleOf(source: ByteSource): Violation | null {
  const pickle = followPickle(source);
  if (pickle === null || (pickle.imports === null && pickle.size < LEAST_PICKLE)) return null;
  const imports = pickle.imports === null ? '' : ` that imports ${pickle.imports}`;
  return { rule: 'file/pickle', message: `the file is a pickle${imports}` };
}

const RULES_OF: Record<Kind, Violation['rule']> = {
  program: 'file/executable',
  archive: 'file/archive',
  pickle: 'file/pickle',
  compressed: 'file/foreign',
  document: 'file/foreign',
  weights: 'file/foreign',
};

function otherOf(format: Format, head: Buffer): Violation | null {
  const found = recognizeStart(head);
  if (found === null || (found.kind === 'weights' && found.what.includes(format))) return null;
  // A GGUF reader that fails has seen the magic, or else the file is not GGUF.
  if (format === 'gguf' && found.what === 'a GGUF file') return null;
  return { rule: RULES_OF[found.kind], message: `the file is ${found.what}` };
}
