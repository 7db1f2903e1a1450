// What staged prompts, a look at what runs, and a comparison of two models found, as what all verdicts have in common.
import type { Canary } from '../../canary/compare/canary-schema.ts';
import type { Concern, DiffReport } from '../../diff/report/diff-report.ts';
import { counted } from '../../document/text/quantity.ts';
import { type Severity, severitiesFrom } from '../../rules/rules.ts';
import { VERSION } from '../../runtime/package.ts';
import type { DriftRecord, PackageChange } from '../../serving/drift/record.ts';
import { meaningOf } from '../../serving/drift/state.ts';
import { graveFirst, rulesOf } from './findings.ts';
import type { NeutralReport, Problem } from './neutral.ts';

const TOOL = { name: 'steelyard', version: VERSION } as const;

export function neutralCanary(canary: Canary): NeutralReport {
  const { outcome, failOn, findings, coverage, inconclusive } = canary;
  const failing = severitiesFrom(failOn);
  const problems = graveFirst(
    findings.map(({ rule, severity, prompt, message, quote, waived }) => ({
      rule,
      severity,
      fails: waived === undefined && failing.includes(severity),
      file: '',
      ...(prompt === null ? {} : { place: prompt }),
      message,
      ...(quote === undefined ? {} : { actual: quote }),
      ...(waived === undefined ? {} : { waived }),
    })),
  );
  return {
    tool: TOOL,
    command: 'canary',
    outcome,
    reason: `${counted(problems.filter(({ fails }) => fails).length, 'finding')} at or above ${failOn}`,
    coverage: [`${counted(coverage.compared, 'prompt')} compared, ${coverage.prompts} in the suite`],
    files: [],
    problems,
    errors: inconclusive.map(({ code, message }) => ({ code, file: '', message })),
    rules: rulesOf(problems),
  };
}

const OUTCOMES = ['pass', 'fail', 'error'] as const;

/** undefined: a line of a proxy's log, which judges nothing. */
export function neutralDrift(record: DriftRecord): NeutralReport | undefined {
  if (record.kind === 'request') return undefined;
  const seen = record.kind === 'round' ? round(record) : packages(record);
  return {
    tool: TOOL,
    command: 'drift',
    outcome: OUTCOMES[record.exitCode]!,
    reason: counted(seen.problems.filter(({ fails }) => fails).length, 'difference'),
    files: [],
    rules: rulesOf(seen.problems),
    ...seen,
  };
}

type Seen = Pick<NeutralReport, 'coverage' | 'problems' | 'errors'>;

function round({ targets }: Extract<DriftRecord, { kind: 'round' }>): Seen {
  const said = targets.map(({ target, state, witnesses, because }) => ({
    target,
    state,
    message: because ?? witnesses.find((one) => one.state === state)?.message ?? `the target is ${state}`,
  }));
  const meant = (means: ReturnType<typeof meaningOf>) =>
    said.filter(({ state }) => meaningOf(state) === means);
  return {
    coverage: [`${counted(targets.length, 'target')} looked at, ${meant('fine').length} as released`],
    problems: meant('drifted').map(({ target, state, message }) => ({
      rule: `drift/${state}`,
      severity: 'high',
      fails: true,
      file: '',
      place: target,
      message,
    })),
    errors: meant('inconclusive').map(({ target, state, message }) => ({
      code: state.toUpperCase(),
      file: '',
      message: `${target}: ${message}`,
    })),
  };
}

function packages({ changes, compared }: Extract<DriftRecord, { kind: 'packages' }>): Seen {
  return {
    coverage: compared.map(({ ecosystem, found }) => `${counted(found, 'package')} of ${ecosystem}`),
    problems: graveFirst(changes.map(changed)),
    errors: [],
  };
}

const changed = ({ package: name, change, declared, found, allowed }: PackageChange): Problem => ({
  rule: `drift/package-${change}`,
  severity: allowed === null ? 'high' : 'info',
  fails: allowed === null,
  file: '',
  place: name,
  message: allowed ?? `the package was ${change}`,
  expected: declared.join(', '),
  actual: found.join(', '),
});

const CONCERNS: Readonly<Record<Concern, Severity>> = {
  tampering: 'critical',
  damage: 'high',
  unknown: 'medium',
  recipe: 'info',
};

export function neutralDiff({
  tool,
  outcome,
  complete,
  conclusions,
  identical,
  tensors,
  errors,
}: DiffReport): NeutralReport {
  const problems = graveFirst(
    conclusions.map(({ kind, concern, message, tensors: named }) => ({
      rule: `diff/${kind}`,
      severity: CONCERNS[concern],
      fails: true,
      file: '',
      ...(named.length === 0 ? {} : { place: named[0]! }),
      message,
    })),
  );
  return {
    tool,
    command: 'diff',
    outcome: ({ same: 'pass', changed: 'fail', error: 'error' } as const)[outcome],
    reason:
      outcome === 'same'
        ? 'the two models are the same'
        : `the suspect ${outcome === 'changed' ? 'differs' : 'could not be compared'}`,
    coverage: [
      `${counted(identical, 'tensor')} identical, ${tensors.length} changed${complete ? '' : ', not everything was read'}`,
    ],
    files: [],
    problems,
    errors: errors.map(({ code, file, message }) => ({ code, file, message })),
    rules: rulesOf(problems),
  };
}
