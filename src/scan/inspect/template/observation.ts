// What the parts of this folder say of a template.
import type { RuleId } from '../../../rules/rules.ts';

/** `at`: position in the source, in UTF-16 units. */
export type Note = (rule: RuleId, at: number, message: string) => void;

export interface Observation {
  readonly rule: RuleId;
  /** Line of the first place, from 1. */
  readonly line: number;
  /** Column of it, from 1, in UTF-16 units. */
  readonly column: number;
  readonly message: string;
  /** Other places where the rule is broken. */
  readonly more: number;
}
