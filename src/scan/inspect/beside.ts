// What lies beside a file and says something about it: digests that it is said to have, and what unfinished transfers leave.
import { basename } from 'node:path';
import { quoted } from '../../document/violations.ts';
import { type Finding, toFinding } from '../../rules/finding.ts';
import type { MeasuredFile } from '../measure/measured.ts';
import type { Claim } from '../model/claim/claimed.ts';

/** `unfinished`: what the listing found of transfers that were begun. */
export function inspectBeside(files: readonly MeasuredFile[], unfinished: readonly string[]): Finding[] {
  const paths = new Set(files.map(({ entry }) => entry.path));
  return [
    ...files.flatMap(wrongDigests),
    ...rightDigests(files),
    ...[...paths].flatMap((path) => piece(path) ?? sidecar(path, paths)),
    ...unfinished.map((path) => begun(path, 'a download')),
  ];
}

const digestOf = (file: MeasuredFile, { algorithm }: Claim): string | undefined =>
  algorithm === 'sha256' ? file.sha256.slice('sha256:'.length) : file.digests?.[algorithm];

function wrongDigests(file: MeasuredFile): Finding[] {
  return (file.entry.claims ?? []).flatMap((claim) => {
    const { algorithm, digest, by, store } = claim;
    const actual = digestOf(file, claim);
    if (actual === undefined || actual === digest) return [];
    return toFinding({
      rule: 'file/digest',
      severity: store ? 'critical' : 'high',
      file: file.entry.path,
      message: `the file is not the one that ${by} speaks of: a corrupted download, or replaced`,
      expected: `${algorithm}:${digest}`,
      actual: `${algorithm}:${actual}`,
    });
  });
}

/** Files that are named; whoever wants them all has their digests. */
const NAMED = 3;

/** A match is worth saying once for each that speaks. */
function rightDigests(files: readonly MeasuredFile[]): Finding[] {
  const matches = new Map<string, string[]>();
  for (const file of files)
    for (const claim of file.entry.claims ?? []) {
      if (digestOf(file, claim) !== claim.digest) continue;
      const known = matches.get(claim.by);
      if (known === undefined) matches.set(claim.by, [file.entry.path]);
      else known.push(file.entry.path);
    }
  return [...matches].map(([by, paths]) => {
    const more = paths.length > NAMED ? ` and ${paths.length - NAMED} more` : '';
    const message = `as ${by} has it: ${paths.slice(0, NAMED).map(quoted).join(', ')}${more}`;
    return toFinding({ rule: 'file/digest-match', file: paths[0]!, message });
  });
}

/** What programs add to the name of a file that has not arrived in full. */
const SIDECAR =
  /\.(aria2|part|partial|incomplete|crdownload|download|downloading|download\.state|!ut|!qb|bc!|opdownload|fdmdownload|xltd|td|ytdl|st|tmp|temp|tmp\.\w+|[0-9a-f]{8}\.partial|p\.downloading)$/i;
/** Ollama's own, with one file more for each part. */
const OLLAMA = /(^|\/)(sha256-[0-9a-f]{64})-partial(-\d+)?$/;
/** rsync writes .NAME.XXXXXX until a file is whole, the AWS client NAME.XXXXXXXX. */
const TEMPORARY = /(^|\/)\.(.+)\.[A-Za-z0-9]{6}$|()([^/]+)\.[0-9a-fA-F]{8}$/;
/** Cut by hand, to be joined again. */
const PIECE =
  /\.(part[-_]?\d{1,4}([-_]?of[-_]?\d{1,4})?|gguf-split-[a-z]{1,3}|(gguf|safetensors|bin)\.(\d{2,4}|(?!br|bz)[a-f][a-z]|part[-_]?([a-z]{1,2}|\d{1,4})))$/i;
const WEIGHTS = /\.(safetensors|gguf|bin|pt|pth|ckpt|onnx)$/i;

const begun = (file: string, what: string): Finding =>
  toFinding({ rule: 'file/unfinished', file, message: `${what} was not finished` });

function piece(path: string): Finding[] | null {
  if (!isPiece(path)) return null;
  const message = 'the file is one piece of another: join the pieces (cat) and scan the whole';
  return [toFinding({ rule: 'file/unfinished', file: path, message })];
}

export const isPiece = (path: string): boolean => PIECE.test(path);

function sidecar(path: string, paths: ReadonlySet<string>): Finding[] {
  const of = SIDECAR.test(path) ? path.replace(SIDECAR, '') : temporaryOf(path);
  const ollama = OLLAMA.exec(path)?.[2];
  if (ollama !== undefined) return [begun(path, `a transfer of ${quoted(ollama)}`)];
  // ModelScope's client fills files here and moves them when they are whole.
  if (/(^|\/)\._____temp\//.test(path)) return [begun(path, 'a download')];
  if (of === null || !(paths.has(of) ? isWeights(of) || !isPlain(path) : WEIGHTS.test(of))) return [];
  return [begun(path, `a transfer of ${quoted(basename(of))}`)];
}

const isWeights = (path: string): boolean => WEIGHTS.test(path);

/** Endings that other programs use for other things: they count beside weights only. */
const isPlain = (path: string): boolean => /\.(st|td|tmp|temp|download)$/i.test(path);

function temporaryOf(path: string): string | null {
  const match = TEMPORARY.exec(path);
  if (match === null) return null;
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const name = match[2] ?? match[4]!;
  return WEIGHTS.test(name) ? folder + name : null;
}
