// What speaks against a source, as findings: some of it may never be committed, some of it people weigh by severity.

import type { FailOn, Policy } from '../../baseline/policy/policy.ts';
import type { SteelyardError } from '../../rules/error.ts';
import { type Finding, toFinding } from '../../rules/finding.ts';
import { type RuleId, SEVERITIES } from '../../rules/rules.ts';
import type { Source } from '../../source/source.ts';
import { contradiction, type Expectation, WHO } from './expectation.ts';

/** Errors of the source room that are a definite no. What else can go wrong there is no verdict. */
const RULE_OF = new Map<SteelyardError['code'], RuleId>([
  ['SOURCE_NOT_ALLOWED', 'source/not-allowed'],
  ['SOURCE_REDIRECT', 'source/redirect'],
  ['SOURCE_UNPINNED', 'source/unpinned'],
  ['SOURCE_CHANGED', 'source/changed'],
  ['DIGEST_MISMATCH', 'source/digest'],
]);

/** null: the error is no statement about the source. */
export function findingOf(error: SteelyardError): Finding | null {
  const rule = RULE_OF.get(error.code);
  return rule === undefined ? null : toFinding({ rule, file: error.file ?? '', message: error.message });
}

/** What is wrong with what is expected of the files, before any has come. */
export function unexpected(source: Source, expected: ReadonlyMap<string, readonly Expectation[]>): Finding[] {
  const silent = source.files.filter(({ path }) => expected.get(path)?.length === 0);
  const [first] = silent;
  const contradicted = source.files.flatMap(({ path }) => {
    const pair = contradiction(expected.get(path)!);
    if (pair === null) return [];
    const [one, other] = pair.map(({ by, algorithm, value }) => [WHO[by], `${algorithm}:${value}`] as const);
    const message = `${one![0]} and ${other![0]} name different digests for the file`;
    return [toFinding({ rule: 'source/digest', file: path, message, expected: one![1], actual: other![1] })];
  });
  if (first === undefined) return contradicted;
  const message = `nobody says what ${silent.length} of ${source.files.length} files have to be: what comes is taken as it is`;
  return [...contradicted, toFinding({ rule: 'source/unpinned', file: first.path, message })];
}

/** No threshold lets these through: bytes that somebody else chose are no matter of degree. */
const ABSOLUTE: ReadonlySet<RuleId> = new Set([
  'source/digest',
  'source/cache-digest',
  'source/not-allowed',
  'source/redirect',
  'source/changed',
]);

export function isRefused(
  findings: readonly Finding[],
  { failOn, policy }: { readonly failOn?: FailOn; readonly policy?: Policy },
): boolean {
  const threshold = failOn ?? policy?.failOn ?? 'high';
  const failing = threshold === 'none' ? [] : SEVERITIES.slice(SEVERITIES.indexOf(threshold));
  return findings.some(({ rule, severity }) => ABSOLUTE.has(rule) || failing.includes(severity));
}
