// The text report's first section: what was looked at, one block per file.

import type { Report } from '../../baseline/report.ts';
import { type Paint, WIDTH, wrapped } from '../../document/text/frame.ts';
import { inert } from '../../document/text/inert.ts';
import { bytes, counted, duration, grouped } from '../../document/text/quantity.ts';
import { isUnexamined, kindWords } from '../../scan/identify/kind.ts';
import type { FileProfile, TensorProfile } from '../../scan/profile/profile.ts';

export function fileLines(report: Report, paint: Paint): string[] {
  const dtypes = dtypeCounts(report.tensors);
  const seconds = new Map(report.timing?.files.map((file) => [file.path, file.seconds]));
  return report.files.flatMap((file) => [
    ...heading(file, dtypes.get(file.path), paint),
    `  sha256  ${digest(file.sha256)}${throughput(file.size, seconds.get(file.path))}`,
    ...file.templates.map(({ name, digest: of }) => `  chat template ${inert(name)}  ${digest(of)}`),
  ]);
}

function heading(file: FileProfile, dtypes: ReadonlyMap<string, number> | undefined, paint: Paint): string[] {
  const path = inert(file.path);
  const facts = [file.format ?? kindOf(file), bytes(file.size)];
  if (file.format !== null) facts.push(counted(file.tensorCount, 'tensor'));
  const kinds = [...(dtypes ?? [])]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([dtype, count]) => `${inert(dtype)} ${grouped(count)}`);
  const all = kinds.length === 0 ? facts : [...facts, kinds.join(', ')];
  const line = [path, ...all].join('  ');
  if (line.length <= WIDTH) return [paint('title', path) + line.slice(path.length)];
  return [paint('title', path), `  ${facts.join('  ')}`, ...wrapped(kinds, ', ', '  ')];
}

function kindOf(file: FileProfile): string {
  if (file.kind === undefined) return 'other';
  return isUnexamined(file) ? `${kindWords(file.kind)}, not examined` : kindWords(file.kind);
}

function dtypeCounts(tensors: readonly TensorProfile[]): Map<string, Map<string, number>> {
  const files = new Map<string, Map<string, number>>();
  for (const { file, dtype } of tensors) {
    const counts = files.get(file) ?? new Map<string, number>();
    counts.set(dtype, (counts.get(dtype) ?? 0) + 1);
    files.set(file, counts);
  }
  return files;
}

/** In full and without its prefix: people compare it with the output of sha256sum. */
const digest = (sha256: string): string => inert(sha256.replace(/^sha256:/, ''));

const throughput = (size: number, seconds: number | undefined): string =>
  seconds === undefined || seconds <= 0 ? '' : `  ${bytes(size / seconds)}/s in ${duration(seconds)}`;
