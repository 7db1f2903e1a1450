// What the gate decided, as what all verdicts have in common: a refusal is a problem that fails.
import { counted } from '../../document/text/quantity.ts';
import { type Denial, GATE_CODES, type GateCode } from '../../gate/verdict/denial.ts';
import type { Verdict } from '../../gate/verdict/verdict.ts';
import type { NeutralReport, Problem } from './neutral.ts';

export function neutralGate({
  tool,
  outcome,
  release,
  environment,
  controls,
  refusals,
}: Verdict): NeutralReport {
  const met = controls.filter((control) => control.outcome === 'pass').length;
  return {
    tool,
    command: 'gate',
    outcome: outcome === 'promote' ? 'pass' : 'fail',
    reason:
      outcome === 'promote'
        ? `release ${release.digest} may go to ${environment}`
        : `${counted(refusals.length, 'refusal')}: release ${release.digest} stays out of ${environment}`,
    coverage: [`${met} of ${counted(controls.length, 'control')} met`],
    files: [],
    problems: refusals.map(problem),
    errors: [],
    rules: new Map(refusals.map(({ code }) => [code, { title: meaning(code), references: [] }])),
  };
}

/** Codes of signatures and models explain themselves in their message. */
const meaning = (code: GateCode): string =>
  code in GATE_CODES ? GATE_CODES[code as keyof typeof GATE_CODES] : code;

const problem = ({ code, control, file, message, expected, actual }: Denial): Problem => ({
  rule: code,
  severity: 'high',
  fails: true,
  file: file ?? '',
  ...(control === undefined ? {} : { place: control }),
  message,
  ...(expected === undefined ? {} : { expected }),
  ...(actual === undefined ? {} : { actual }),
});
