// Files that are text: which of them run, and which are not what their name promises (a pointer, an error page, half a JSON).
import { isUtf8 } from 'node:buffer';
import type { Severity } from '../../rules/rule.ts';
import type { RuleId } from '../../rules/rules.ts';
import type { Kind } from './kind.ts';

interface TextFacts {
  readonly kind: Kind;
  readonly problem: { readonly rule: RuleId; readonly severity: Severity; readonly message: string } | null;
}

/** null: not text. `path` decides only between kinds of text, because programs go by it. */
export function textFacts(path: string, head: Buffer, size: number): TextFacts | null {
  const wide = head.length >= 2 && (head.readUInt16LE(0) === 0xfeff || head.readUInt16BE(0) === 0xfeff);
  if (!wide && !isText(head, head.length === size)) return null;
  const text = head.toString(wide ? 'utf16le' : 'utf8').replace(/^\uFEFF/, '');
  return { kind: kindOf(path, text), problem: problemOf(path, text) };
}

function isText(head: Buffer, whole: boolean): boolean {
  // A character may be cut at the end of what was read.
  for (let cut = 0; cut <= (whole ? 0 : 3); cut++)
    if (isUtf8(head.subarray(0, head.length - cut))) return !head.some(isControl);
  return isLatin(head);
}

/** Tab, line feed, form feed, carriage return and escape stand in texts; the others do not. */
const isControl = (byte: number): boolean => byte < 0x20 && ![9, 10, 12, 13, 27].includes(byte);

/** Texts of former times, such as licences and word lists in Latin-1. */
function isLatin(head: Buffer): boolean {
  const odd = head.reduce((count, byte) => count + (byte >= 0x7f ? 1 : 0), 0);
  return !head.some(isControl) && odd * 10 < head.length;
}

const SHEBANG = /^#! ?\/[a-z]{2,}[^\n]{0,200}/;
const SCRIPT =
  /\.(sh|bash|zsh|fish|ksh|csh|bat|cmd|ps1|psm1|vbs|js|mjs|cjs|ts|mts|cts|jsx|tsx|rb|pl|pm|lua|php|r|jl|tcl|command|applescript|hta|wsf|desktop|service)$/i;
const PYTHON = /\.(py|pyw|pyx|pxd|pyi)$/i;

function kindOf(path: string, text: string): Kind {
  const interpreter = SHEBANG.exec(text)?.[0];
  if (interpreter !== undefined) return /python/.test(interpreter) ? 'python' : 'script';
  if (PYTHON.test(path)) return text.trim() === '' ? 'text' : 'python';
  // Python runs the lines of path files that begin with import, whenever it starts.
  if (/\.pth$/i.test(path) && /^import[ \t]/m.test(text)) return 'python';
  if (SCRIPT.test(path)) return 'script';
  const json = /^\s*[{[]/.test(text);
  if (/\.ipynb$/i.test(path) || (json && /"nbformat"\s*:/.test(text) && /"cell_type"\s*:/.test(text)))
    return 'notebook';
  return json && /\.(json|jsonl|webmanifest|map|ipynb)$/i.test(path) ? 'json' : 'text';
}

const LFS = /^version https:\/\/(git-lfs\.github\.com|hawser\.github\.com)\/spec\//;
const PAGE = /^\s*(<!doctype|<html|<head|<body|<\?xml|<error>|<script)/i;
const PICTURE = /\.(png|jpe?g|gif|webp|svg|bmp|mp4|webm|wav|mp3|pdf|ico|ttf|woff2?)$/i;
/** What is never text. */
const BINARY =
  /\.(bin|pt|pth|ckpt|pkl|pickle|joblib|npy|npz|h5|hdf5|keras|onnx|onnx_data|pb|tflite|msgpack|model|spm|ot|gz|zip|tar|7z|so|dll|exe|nemo)$/i;

function problemOf(path: string, text: string): TextFacts['problem'] {
  if (LFS.test(text)) {
    const oid = /\boid sha256:([0-9a-f]{64})\b/.exec(text)?.[1];
    const of = oid === undefined ? '' : ` to the file with sha256:${oid}`;
    const severity = PICTURE.test(path) ? 'low' : 'medium';
    return { rule: 'file/lfs-pointer', severity, message: `a Git LFS pointer${of}` };
  }
  // A path file of Python ends like a checkpoint.
  if (!BINARY.test(path) || (/\.pth$/i.test(path) && !PAGE.test(text))) return null;
  const what = PAGE.test(text) ? 'an HTML or XML page' : 'a text';
  return {
    rule: 'file/text',
    severity: 'medium',
    message: `${what} under a name that promises something else`,
  };
}
