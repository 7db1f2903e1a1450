// Findings are about content: data, never thrown. Failures are errors about one file, told beside the findings of the others.
import type { ErrorCode, SteelyardError } from './error.ts';
import { RULES, type RuleId, type Severity } from './rules.ts';

/** A statement that a file breaks a rule. */
export interface Finding {
  readonly rule: RuleId;
  readonly severity: Severity;
  /** Relative to the model's root. */
  readonly file: string;
  readonly tensor?: string;
  /** Absolute byte position in the file. */
  readonly offset?: number;
  readonly message: string;
  readonly expected?: string;
  readonly actual?: string;
  /** The policy accepts it: it stays in the report and does not count. */
  readonly waived?: Waived;
}

/** Who has accepted a finding, why, and until when. */
export interface Waived {
  readonly reason: string;
  readonly owner: string;
  /** 'YYYY-MM-DD': the last day. */
  readonly expires: string;
}

/** The world failed while a file was looked at. */
export interface Failure {
  readonly code: ErrorCode;
  readonly file: string;
  readonly offset?: number;
  readonly errno?: string;
  readonly message: string;
}

type Broken = Omit<Finding, 'severity' | 'waived'> & { readonly severity?: Severity };

/** A finding, with its severity from the table of rules if it has no other, and its fields in the order of the report. */
export function toFinding(broken: Broken): Finding {
  const {
    rule,
    severity = RULES.get(rule)!.severity,
    file,
    tensor,
    offset,
    message,
    expected,
    actual,
  } = broken;
  return {
    rule,
    severity,
    file,
    ...(tensor === undefined ? {} : { tensor }),
    ...(offset === undefined ? {} : { offset }),
    message,
    ...(expected === undefined ? {} : { expected }),
    ...(actual === undefined ? {} : { actual }),
  };
}

export function toFailure({ code, file, offset, errno, message }: SteelyardError): Failure {
  return {
    code,
    file: file ?? '',
    ...(offset === undefined ? {} : { offset }),
    ...(errno === undefined ? {} : { errno }),
    message,
  };
}

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export function sortFailures(failures: readonly Failure[]): Failure[] {
  return [...failures].sort((a, b) => text(a.file, b.file));
}

/** "and 128 more places" has no place, and comes last. */
const isCount = ({ message, offset }: Finding): boolean =>
  offset === undefined && /^and \d+ more places$/.test(message);

/** By file, then byte offset, then rule and tensor: the order does not depend on who finished first. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  return [...findings].sort(
    (a, b) =>
      text(a.file, b.file) ||
      Number(isCount(a)) - Number(isCount(b)) ||
      (a.offset ?? 0) - (b.offset ?? 0) ||
      text(a.rule, b.rule) ||
      text(a.tensor ?? '', b.tensor ?? ''),
  );
}
