// What lies beside a file and says something about it: the digest in the name of a Hub's blob, and what unfinished transfers leave.
import { basename } from 'node:path';
import { quoted } from '../../document/violations.ts';
import { type Finding, toFinding } from '../../rules/finding.ts';
import type { MeasuredFile } from '../measure/measured.ts';

export function inspectBeside(files: readonly MeasuredFile[]): Finding[] {
  return files.flatMap((file) => [...blobDigest(file), ...unfinished(file.entry.path, files)]);
}

/** A cache of the Hub keeps LFS files under their SHA-256, and links lead there; git's own names have 40 digits. */
function blobDigest({ entry: { path, real }, sha256 }: MeasuredFile): Finding[] {
  const name = real === undefined ? '' : basename(real);
  if (!/^[0-9a-f]{64}$/.test(name) || sha256 === `sha256:${name}`) return [];
  const message = 'the file is not the one that the Hub named: a corrupted download, or replaced';
  return [
    toFinding({ rule: 'file/digest', file: path, message, expected: `sha256:${name}`, actual: sha256 }),
  ];
}

const SIDECAR =
  /\.(aria2|part|partial|incomplete|crdownload|download|download\.state|!ut|opdownload|tmp\.\w+)$/i;
/** Cut by hand, to be joined again. */
const PIECE = /\.(part\d{1,4}of\d{1,4}|gguf-split-[a-z]{1,3}|(gguf|safetensors)\.(\d{2,4}|[a-z]{2}))$/i;
const WEIGHTS = /\.(safetensors|gguf|bin|pt|pth|ckpt|onnx)$/i;

function unfinished(path: string, files: readonly MeasuredFile[]): Finding[] {
  if (PIECE.test(path)) {
    const message = 'the file is one piece of another: join the pieces (cat) and scan the whole';
    return [toFinding({ rule: 'file/unfinished', file: path, message })];
  }
  if (!SIDECAR.test(path)) return [];
  const of = path.replace(SIDECAR, '');
  const beside = files.some(({ entry }) => entry.path === of);
  if (!beside && !WEIGHTS.test(of)) return [];
  const message = `a transfer of ${quoted(basename(of))} was not finished`;
  return [toFinding({ rule: 'file/unfinished', file: path, message })];
}
