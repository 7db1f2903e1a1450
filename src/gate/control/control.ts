// The controls of a policy, each over the same facts. None knows of another, but that SBOMs show packages which a vulnerability control
// may expect.
import type { Control } from '../release-policy/schema.ts';
import type { Denial } from '../verdict/denial.ts';
import type { ControlVerdict } from '../verdict/verdict.ts';
import { build } from './build.ts';
import type { Context, ControlResult } from './context.ts';
import { canary } from './release/canary-control.ts';
import { layout } from './release/layout-control.ts';
import { serving } from './release/serving-control.ts';
import { source } from './release/source-control.ts';
import { type SbomResult, sbom } from './sbom.ts';
import { performance, tests } from './test-results.ts';
import { vulnerabilities } from './vulnerabilities.ts';

export interface Controlled {
  readonly verdict: ControlVerdict;
  readonly result: ControlResult;
  readonly denials: readonly Denial[];
}

interface AllControls {
  readonly controls: readonly Controlled[];
  /** Package URLs that the SBOMs show. */
  readonly packages: readonly string[];
}

export function evaluate(context: Context): AllControls {
  const { controls } = context.policy.json;
  const sboms = new Map<Control, SbomResult>();
  for (const control of controls) if (control.kind === 'sbom') sboms.set(control, sbom(control, context));
  const packages = [...sboms.values()].flatMap((one) => one.packages);
  return {
    packages,
    controls: controls.map((control) =>
      controlled(control.id, control.kind, sboms.get(control) ?? resultOf(control, context, packages)),
    ),
  };
}

function resultOf(control: Control, context: Context, packages: readonly string[]): ControlResult {
  switch (control.kind) {
    case 'vulnerabilities':
      return vulnerabilities(control, context, packages);
    case 'performance':
      return performance(control, context);
    case 'tests':
      return tests(control, context);
    case 'build':
      return build(control, context);
    case 'layout':
      return layout(control, context);
    case 'serving':
      return serving(control, context);
    case 'source':
      return source(control, context);
    case 'sbom':
      return sbom(control, context);
    case 'canary':
      return canary(control, context);
  }
}

export function controlled(id: string, kind: string, result: ControlResult): Controlled {
  const { evidence, findings = [], notes = [], denials } = result;
  return {
    result,
    verdict: { id, kind, outcome: denials.length === 0 ? 'pass' : 'fail', evidence, findings, notes },
    denials: denials.map((denial) => ({ ...denial, control: id })),
  };
}
