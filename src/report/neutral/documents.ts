// Which of our documents give a verdict. The door of this room.
import type { Report } from '../../baseline/report.ts';
import type { Canary } from '../../canary/compare/canary-schema.ts';
import type { DiffReport } from '../../diff/report/diff-report.ts';
import type { Verdict } from '../../gate/verdict/verdict.ts';
import { SteelyardError } from '../../rules/error.ts';
import type { DriftRecord } from '../../serving/drift/record.ts';
import type { ServingReport } from '../../serving/lint/serving-report.ts';
import { neutralGate } from './gate.ts';
import type { NeutralReport } from './neutral.ts';
import { neutralLint, neutralScan } from './scan-and-lint.ts';
import { neutralCanary, neutralDiff, neutralDrift } from './watch.ts';

/** What `scan`, `check`, `lint`, `gate`, `canary compare`, `drift` and `diff` write as JSON. */
export type VerdictDocument = Report | ServingReport | Verdict | Canary | DriftRecord | DiffReport;

/** @throws SteelyardError USAGE: a line of a proxy's log judges nothing. */
export function neutral(document: VerdictDocument): NeutralReport {
  switch (document.schema) {
    case 'steelyard/report/1':
      return neutralScan(document);
    case 'steelyard/serving/1':
      return neutralLint(document);
    case 'steelyard/verdict/1':
      return neutralGate(document);
    case 'steelyard/canary/1':
      return neutralCanary(document);
    case 'steelyard/diff/1':
      return neutralDiff(document);
    case 'steelyard/drift/1':
      return neutralDrift(document) ?? refused();
  }
}

function refused(): never {
  throw new SteelyardError('USAGE', 'a line of a log judges nothing: give a round of drift');
}
