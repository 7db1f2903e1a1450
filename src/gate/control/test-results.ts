// The controls `performance` and `tests`: both are in-toto test-results about the release. What a result claims is computed again from
// its numbers, and held against the limits of the policy.
import type { Claim } from '../claim/proven-claim.ts';
import type { Metric, TestResult } from '../evidence/evidence.ts';
import { holds, PERFORMANCE, readTestResult, regression } from '../evidence/test-result.ts';
import { milliseconds } from '../release-policy/release-policy.ts';
import type { ControlOf } from '../release-policy/schema.ts';
import { type Denial, deny } from '../verdict/denial.ts';
import { boundTo, type Context, type ControlResult, type Counted, collect, evidenceOf } from './context.ts';

type Performance = ControlOf<'performance'>;
type Tests = ControlOf<'tests'>;

export const performance = (control: Performance, context: Context): ControlResult =>
  results(control, context, true, (counted) => judge(counted, control));

export const tests = (control: Tests, context: Context): ControlResult =>
  results(control, context, false, () => []);

function results(
  control: Performance | Tests,
  context: Context,
  measured: boolean,
  judged: (result: TestResult) => Denial[],
): ControlResult {
  const { counted, denials, unused, limits } = collect<TestResult>(context, {
    signedBy: control.signedBy,
    count: control.count,
    maxAge: milliseconds(control.maxAge),
    kinds: ['test-result'],
    wants: ({ kind, body }) =>
      kind === 'test-result' && body.isObject && body.get(PERFORMANCE).absent !== measured,
    read: (claim) => readResult(claim, control, context),
    same: ({ claim }) => claim.by,
  });
  const own = counted.flatMap(({ value, claim }) =>
    judged(value).map((one) => ({ ...one, file: claim.source.file })),
  );
  return {
    evidence: counted.map(evidenceOf),
    denials: [...denials, ...failures(control.tests, counted), ...own],
    unused,
    limits,
  };
}

function readResult(claim: Claim, control: Performance | Tests, context: Context): TestResult {
  boundTo(claim, context.release);
  const result = readTestResult(claim.body);
  if (!result.configuration.includes(control.configuration))
    deny('EVIDENCE_FOR_OTHER', 'the tests had another configuration', {
      expected: control.configuration,
      actual: result.configuration[0] ?? 'none',
    });
  assertConsistent(result);
  if (control.kind === 'performance') assertBaseline(result, control, context);
  return result;
}

/** A claim that its own numbers deny. */
function assertConsistent({ result, passed, failed, metrics }: TestResult): void {
  const contradiction = (message: string): never => deny('EVIDENCE_CONTRADICTORY', message);
  if (result === 'PASSED' && failed.length > 0) contradiction('it says PASSED, and lists tests that failed');
  const both = passed.find((name) => failed.includes(name));
  if (both !== undefined) contradiction(`it lists ${both} as passed and as failed`);
  const names = new Set(metrics.map(({ name }) => name));
  if (names.size !== metrics.length) contradiction('it has two numbers for one test');
  const wrong = metrics.find((metric) => passed.includes(metric.name) && !holds(metric));
  if (wrong !== undefined)
    contradiction(
      `it says that ${wrong.name} passed: ${wrong.value} is not ${wrong.comparator} ${wrong.threshold}`,
    );
}

function assertBaseline({ baseline }: TestResult, control: Performance, { current }: Context): void {
  const expected = control.baseline ?? current;
  if (expected === undefined)
    deny(
      'EVIDENCE_UNBOUND',
      'what the numbers are compared with cannot be checked: give --current, or a baseline in the policy',
    );
  // A first release has nothing to be compared with, and says so by naming nothing.
  if (baseline === (expected ?? null)) return;
  deny('EVIDENCE_FOR_OTHER', 'the numbers are compared with another release', {
    expected: expected ?? 'none',
    actual: baseline ?? 'none',
  });
}

function failures(wanted: readonly string[], counted: readonly Counted<TestResult>[]): Denial[] {
  const failed = counted.flatMap(({ value, claim }): Denial[] => {
    if (value.result === 'PASSED') return [];
    const names = [...value.failed, ...value.warned].slice(0, 10).join(', ');
    return [
      { code: 'TEST_FAILED', file: claim.source.file, message: `the result is ${value.result}: ${names}` },
    ];
  });
  const missing = wanted.filter((name) => counted.some(({ value }) => !value.passed.includes(name)));
  return [
    ...failed,
    ...missing.map(
      (name) =>
        ({ code: 'NO_EVIDENCE', message: `the test ${name} is not among those that passed` }) as const,
    ),
  ];
}

function judge({ metrics }: TestResult, { tests, maxRegression }: Performance): Denial[] {
  const numbers = new Map(metrics.map((metric) => [metric.name, metric]));
  const unmeasured = tests.filter((name) => !numbers.has(name));
  return [
    ...unmeasured.map(
      (name) => ({ code: 'NO_EVIDENCE', message: `there is no number for ${name}` }) as const,
    ),
    ...metrics.filter((metric) => !holds(metric)).map(below),
    ...Object.entries(maxRegression).flatMap(([name, limit]) => regressed(numbers.get(name), name, limit)),
  ];
}

const below = ({ name, value, comparator, threshold }: Metric): Denial => ({
  code: 'REGRESSED',
  message: `${name} is ${value}, which is not ${comparator} ${threshold}`,
});

function regressed(metric: Metric | undefined, name: string, limit: number): Denial[] {
  if (metric === undefined) return [{ code: 'NO_EVIDENCE', message: `there is no number for ${name}` }];
  if (metric.baseline === null) return [];
  const worse = regression(metric);
  if (worse === null)
    return [
      {
        code: 'EVIDENCE_CONTRADICTORY',
        message: `${name} cannot be compared with its baseline ${metric.baseline}`,
      },
    ];
  if (worse <= limit) return [];
  const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
  const message = `${name} is ${metric.value}, ${percent(worse)} worse than ${metric.baseline}; ${percent(limit)} is allowed`;
  return [{ code: 'REGRESSED', message }];
}
