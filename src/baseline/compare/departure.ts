// What a comparison collects before it becomes findings: without a severity, which the mode decides.
import { type Finding, toFinding } from '../../rules/finding.ts';
import { SEVERITIES, type Severity } from '../../rules/rules.ts';
import { type CompareRule, type Mode, rankOf, severityOf } from './mode.ts';

export interface Departure {
  readonly rule: CompareRule;
  readonly file: string;
  readonly tensor?: string;
  readonly message: string;
  readonly expected?: string;
  readonly actual?: string;
  /** How far: larger is told first. */
  readonly weight?: number;
  /** Where the mode's own would say too much. */
  readonly severity?: Severity;
}

/** The worst first, then by rule, then the largest change: who reads one line reads the one that matters. */
export function toFindings(departures: readonly Departure[], mode: Mode): Finding[] {
  const graded = departures.map((departure, index) => {
    const severity = departure.severity ?? severityOf(departure.rule, mode);
    return { departure, severity, index, grade: SEVERITIES.indexOf(severity), rank: rankOf(departure.rule) };
  });
  graded.sort(
    (a, b) =>
      b.grade - a.grade ||
      a.rank - b.rank ||
      (b.departure.weight ?? 0) - (a.departure.weight ?? 0) ||
      a.index - b.index,
  );
  return graded.map(({ departure, severity }) => ({ ...toFinding(departure), severity }));
}
