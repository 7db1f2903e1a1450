// How much was looked at, and why the verdict is what it is: the last lines of the text report, the first of every other.
import type { Report } from '../../baseline/report.ts';
import { wrapped } from '../../document/text/frame.ts';
import { inert } from '../../document/text/inert.ts';
import { bytes, counted, duration, grouped } from '../../document/text/quantity.ts';
import { SEVERITIES } from '../../rules/rules.ts';
import { examinationOf } from '../../scan/identify/examination.ts';
import { kindWords } from '../../scan/identify/kind.ts';

export function coverage({ files, tensors, errors, complete, timing, leftOut = [] }: Report): string[] {
  // A file can be listed and yet have failed later; a failure need not be about a file.
  const failed = new Set(errors.map((error) => error.file).filter((file) => file !== ''));
  const read = files.filter((file) => !failed.has(file.path));
  const total = new Set([...files.map((file) => file.path), ...failed]).size;
  const size = bytes(read.reduce((sum, file) => sum + file.size, 0));
  const measured = tensors.filter((tensor) => tensor.stats !== null).length;
  const [first, ...more] = looked(read, total);
  const parts = [
    ...(more.length === 0 ? [first!] : []),
    // The size of a file that could not be read is not known, so there is no total to compare with.
    read.length === total && complete ? `${size.split(' ')[0]}/${size}` : `${size} read in full`,
    measured === tensors.length
      ? `${counted(measured, 'tensor')} measured`
      : `${grouped(measured)}/${counted(tensors.length, 'tensor')} measured`,
  ];
  if (timing !== undefined) parts.push(duration(timing.seconds));
  if (!complete) parts.push('NOT COMPLETE');
  return [
    ...(more.length === 0 ? [] : [first!, ...more]),
    ...wrapped(parts, ', ', ''),
    ...wrapped(leftOut.map(leftOutWords), ', ', ''),
  ];
}

const leftOutWords = ({ pattern, files }: NonNullable<Report['leftOut']>[number]): string =>
  `${counted(files, 'file')} left out (${inert(pattern)})`;

/** Files that are named at the end. */
const NAMED = 5;

/** What was only hashed must never read like what was looked into: a line, and one for each of the first files that can run. */
function looked(files: Report['files'], total: number): string[] {
  const { examined, running } = examinationOf(files);
  const count = `${grouped(examined)} of ${counted(total, 'file')} examined`;
  const hashed = files.length - examined;
  if (running.length === 0) return [hashed === 0 ? count : `${count}; ${grouped(hashed)} only hashed`];
  const named = running
    .slice(0, NAMED)
    .map(({ path, kind = 'unknown' }) => `  ${inert(path)} (${kindWords(kind)})`);
  const more = running.length > NAMED ? [`  and ${grouped(running.length - NAMED)} more`] : [];
  return [
    `${count}; ${grouped(hashed)} only hashed, ${grouped(running.length)} of them can run code:`,
    ...named,
    ...more,
  ];
}

/** One sentence, without the word of the verdict. */
export function reasonOf({
  verdict: { outcome, failOn, counts },
  errors,
}: Pick<Report, 'verdict' | 'errors'>): string {
  const failed = `${counted(errors.length, 'error')}, not everything was looked at`;
  if (outcome === 'error') return errors.length === 0 ? 'not everything was looked at' : failed;
  const threshold =
    failOn === 'none' ? 'no finding can fail (fail-on none)' : `no finding at or above ${failOn}`;
  if (outcome === 'pass' || failOn === 'none') return threshold;
  const hits = SEVERITIES.slice(SEVERITIES.indexOf(failOn)).reduce(
    (sum, severity) => sum + counts[severity],
    0,
  );
  return `${counted(hits, 'finding')} at or above ${failOn}${errors.length > 0 ? `, and ${failed}` : ''}`;
}
