// Findings → problems: those of a scan and those of a lint differ only in how they name a place.
import type { Finding } from '../../rules/finding.ts';
import { RULES, type RuleId, SEVERITIES, type Severity, severitiesFrom } from '../../rules/rules.ts';
import type { NeutralRule, Problem } from './neutral.ts';

type Found = Omit<Finding, 'tensor' | 'offset'>;

/** `rest` names the place. */
export function problemsOf<T extends Found>(
  findings: readonly T[],
  failOn: Severity | 'none',
  rest: (finding: T) => Pick<Problem, 'line' | 'offset' | 'place'>,
): Problem[] {
  const failing = severitiesFrom(failOn);
  return graveFirst(
    findings.map((finding) => {
      const { rule, severity, file, message, expected, actual, waived } = finding;
      return {
        rule,
        severity,
        fails: waived === undefined && failing.includes(severity),
        file,
        ...rest(finding),
        message,
        ...(expected === undefined ? {} : { expected }),
        ...(actual === undefined ? {} : { actual }),
        ...(waived === undefined ? {} : { waived }),
      };
    }),
  );
}

/** Formats with a limit keep the first ones. The order within a severity is the report's. */
export const graveFirst = (problems: readonly Problem[]): Problem[] =>
  [...problems].sort((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity));

/** The rows of the table for the rules that are in `problems`. */
export function rulesOf(problems: readonly Problem[]): ReadonlyMap<string, NeutralRule> {
  const ids = [...new Set(problems.map(({ rule }) => rule))].sort();
  return new Map(ids.map((id) => [id, rowOf(id)]));
}

/** A report of a later release may know a rule that this one does not. */
function rowOf(id: string): NeutralRule {
  const rule = RULES.get(id as RuleId);
  if (rule === undefined) return { title: id, references: [] };
  const { title, hint, why, references = [] } = rule;
  return { title, hint, why, references };
}
