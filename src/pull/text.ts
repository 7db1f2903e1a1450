// A pull for people: what came from where, what it was held against, and what speaks against it.
import { inert } from '../document/text/inert.ts';
import { bytes, counted } from '../document/text/quantity.ts';
import { WHO } from './expectation/expectation.ts';
import type { PullResult } from './result.ts';

/** Findings and files that are shown; a listing can have 100,000. */
const SHOWN = 50;

/** `output`: where the model is, or would be. */
export function renderPull(result: PullResult, output: string): string {
  const { source, files, findings, outcome, receipt, quarantine } = result;
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const lines = [
    `source  ${inert(source, WIDTH)}`,
    `files   ${counted(files.length, 'file')}, ${bytes(size)}${held(result)}`,
    ...findings.slice(0, SHOWN).map(findingLine),
  ];
  if (findings.length > SHOWN) lines.push(`and ${findings.length - SHOWN} more findings`);
  if (receipt !== null) lines.push(`root    ${receipt.model}`);
  if (quarantine !== null) lines.push(`kept    ${inert(quarantine, WIDTH)}`);
  return `${[...lines, LAST[outcome](inert(output, WIDTH), result)].join('\n')}\n`;
}

const WIDTH = 2000;

/** Who decided what the files have to be: `; digests by the lock 3, the source 1`. */
function held({ files, expected }: PullResult): string {
  const counts = new Map<string, number>();
  for (const { path } of files) {
    const by = expected.get(path)?.[0]?.by;
    const who = by === undefined ? 'nobody' : WHO[by];
    counts.set(who, (counts.get(who) ?? 0) + 1);
  }
  return counts.size === 0
    ? ''
    : `; digests by ${[...counts].map(([who, count]) => `${who} ${count}`).join(', ')}`;
}

function findingLine({
  rule,
  severity,
  file,
  message,
  expected,
  actual,
}: PullResult['findings'][number]): string {
  const where = file === '' ? '' : `${inert(file)}: `;
  const what = expected === undefined ? '' : ` (expected ${inert(expected)}, actual ${inert(actual ?? '')})`;
  return `${severity}  ${rule}  ${where}${inert(message, WIDTH)}${what}`;
}

const LAST: Readonly<Record<PullResult['outcome'], (output: string, result: PullResult) => string>> = {
  pass: (output, { receipt }) =>
    receipt === null ? 'NOTHING FETCHED  this was a dry run   exit 0' : `PULLED  to ${output}   exit 0: pass`,
  fail: (output) => `REFUSED  nothing was put at ${output}   exit 1: fail`,
  error: (output) =>
    `NOT PULLED  not everything could be looked at; nothing was put at ${output}   exit 2: no verdict`,
};
