// A comparison for people and for grep: findings first, then what could not be said, then what was covered.
import { inert } from '../../document/text/inert.ts';
import { counted } from '../../document/text/quantity.ts';
import type { Canary, CanaryFinding } from '../compare/canary-schema.ts';

const SHOWN = 100;
const CODES = { pass: 'exit 0: pass', fail: 'exit 1: fail', error: 'exit 2: no verdict' } as const;

export const exitCodeOf = ({ outcome }: Pick<Canary, 'outcome'>): number =>
  ({ pass: 0, fail: 1, error: 2 })[outcome];

export function renderCanaryText(canary: Canary): string {
  const { findings, inconclusive, outcome } = canary;
  const lines = findings.slice(0, SHOWN).map(findingLine);
  if (findings.length > SHOWN) lines.push(`and ${findings.length - SHOWN} more findings`);
  for (const { code, message } of inconclusive) lines.push(`inconclusive  ${code}: ${inert(message)}`);
  lines.push(...rateLines(canary), coverageLine(canary), limitsLine(canary));
  lines.push(`${outcome.toUpperCase()}  ${counted(findings.length, 'finding')}   ${CODES[outcome]}`);
  return `${lines.join('\n')}\n`;
}

function findingLine({ severity, rule, prompt, message, quote, waived }: CanaryFinding): string {
  const where = prompt === null ? '' : ` ${inert(prompt)}:`;
  const said = quote === undefined || quote === '' ? '' : `: ${inert(quote)}`;
  const accepted = waived === undefined ? '' : ` (waived until ${waived.expires}: ${inert(waived.reason)})`;
  return `${waived === undefined ? severity : 'waived'}  ${rule} ${where} ${inert(message)}${said}${accepted}`.replace(
    / {3,}/g,
    '  ',
  );
}

function rateLines({ old, refusals, links, pairs }: Canary): string[] {
  if (old === null) return [];
  const differ = pairs.filter(({ same }) => !same);
  const mean = (pick: 'bleu' | 'chrf'): string =>
    (pairs.reduce((sum, one) => sum + one[pick], 0) / Math.max(1, pairs.length)).toFixed(1);
  const paired = (what: string, { lost, gained, p }: Canary['links']): string =>
    `${what} lost ${lost}, gained ${gained} (McNemar p ${p.toPrecision(2)})`;
  return [
    `texts     ${differ.length} of ${pairs.length} differ; BLEU ${mean('bleu')}, chrF ${mean('chrf')} (reported, never a gate)`,
    `paired    ${paired('refusals', refusals)}; ${paired('links', links)}`,
  ];
}

function coverageLine({ coverage, floor, threshold, method, new: side, old }: Canary): string {
  const { prompts, compared, controls, topK, eosEntry } = coverage;
  const what =
    topK === 0
      ? 'no log-probabilities'
      : `log-probabilities top ${topK} ${eosEntry ? 'with' : 'without'} end of answer`;
  const noise = old === null ? '' : `, floor ${floor === null ? 'not measured' : floor.toExponential(1)}`;
  const rule =
    threshold === null
      ? ''
      : `, ${method} threshold ${threshold.toExponential(1)}, ${counted(controls, 'control')}`;
  return `coverage  ${compared}/${prompts} prompts, ${counted(side.answers, 'answer')}, ${what}${noise}${rule}`;
}

const limitsLine = ({ old }: Canary): string =>
  old === null
    ? 'limits    one release alone: a link or a secret is seen, a change is not'
    : 'limits    not seen: triggers of several words or of meaning that the suite lacks, plants in both releases, what comes after the recorded tokens';
