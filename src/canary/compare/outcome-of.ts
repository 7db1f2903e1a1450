// What findings and gaps amount to, and which answers a report shows.
import type { FailOn } from '../../baseline/policy/policy.ts';
import { SEVERITIES } from '../../rules/rules.ts';
import type { RunFile } from '../run/run-file.ts';
import type { Canary, CanaryFinding, CanaryPair } from './canary-schema.ts';

/** Pairs without a finding whose texts a report shows. */
const SHOWN = 10;
const TEXT = 4000;

/** A definite no beats an error, an error beats a pass. */
export function outcomeOf(
  findings: readonly CanaryFinding[],
  inconclusive: Canary['inconclusive'],
  failOn: FailOn,
): Canary['outcome'] {
  const least = failOn === 'none' ? Number.POSITIVE_INFINITY : SEVERITIES.indexOf(failOn);
  const counts = findings.some(
    ({ severity, waived }) => waived === undefined && SEVERITIES.indexOf(severity) >= least,
  );
  return counts ? 'fail' : inconclusive.length > 0 ? 'error' : 'pass';
}

export const sorted = (findings: readonly CanaryFinding[]): CanaryFinding[] =>
  [...findings].sort((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity));

/** Texts stand in the document where somebody has to read them. */
export function withTexts(
  pairs: readonly CanaryPair[],
  findings: readonly CanaryFinding[],
  { old, new: run }: { readonly old: RunFile | null; readonly new: RunFile },
): CanaryPair[] {
  const wanted = new Set(findings.map(({ prompt }) => prompt));
  const far = [...pairs].sort((a, b) => (b.divergence?.js ?? 0) - (a.divergence?.js ?? 0)).slice(0, SHOWN);
  for (const { prompt } of far) wanted.add(prompt);
  return pairs.map((one) => {
    if (!wanted.has(one.prompt)) return one;
    const [before, after] = [old?.read(`${one.prompt} 1`), run.read(`${one.prompt} 1`)];
    const texts = { prompt: cut(after?.prompt), before: cut(before?.text), after: cut(after?.text) };
    return { ...one, texts };
  });
}

const cut = (text = ''): string => text.slice(0, TEXT);
