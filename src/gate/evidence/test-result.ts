// in-toto test-result v0.1, and the two extensions of ours that give it a time and numbers: the predicate has neither, and whoever
// wants to know of a regression must recompute it.
import type { Foreign } from '../claim/foreign.ts';
import type { Metric, TestResult } from './evidence.ts';

export const PERFORMANCE = 'urn:steelyard:performance:v1';
const TESTS = 'urn:steelyard:tests:v1';

const RESULTS = new Set(['PASSED', 'WARNED', 'FAILED']);
const COMPARATORS = ['>=', '<=', '>', '<', '=='] as const;

export function readTestResult(predicate: Foreign): TestResult {
  const result = predicate.get('result').text();
  if (!RESULTS.has(result)) predicate.get('result').wrong('must be PASSED, WARNED or FAILED');
  const names = (field: string): string[] =>
    predicate
      .get(field)
      .maybeList()
      .map((one) => one.text());
  const performance = predicate.get(PERFORMANCE);
  const tests = predicate.get(TESTS);
  const own = performance.absent ? tests : performance;
  const baseline = performance.absent ? performance : performance.get('baseline');
  return {
    result: result as TestResult['result'],
    configuration: predicate.get('configuration').list().map(configurationOf),
    passed: names('passedTests'),
    warned: names('warnedTests'),
    failed: names('failedTests'),
    time: own.absent ? null : own.get('timeCreated').time(),
    metrics: performance.absent ? [] : readMetrics(performance.get('metrics')),
    baseline: baseline.absent ? null : `sha256:${baseline.get('digest').get('sha256').hex()}`,
  };
}

const configurationOf = (one: Foreign): string => `sha256:${one.get('digest').get('sha256').hex()}`;

export const readMetrics = (list: Foreign): Metric[] => list.list().map(metricOf);

function metricOf(one: Foreign): Metric {
  one.only('name', 'comparator', 'threshold', 'value', 'baseline', 'sampleSize', 'unit');
  const comparator = one.get('comparator').text();
  if (!(COMPARATORS as readonly string[]).includes(comparator))
    one.get('comparator').wrong(`must be one of ${COMPARATORS.join(' ')}`);
  const baseline = one.get('baseline');
  return {
    name: one.get('name').text(),
    comparator: comparator as Metric['comparator'],
    threshold: one.get('threshold').number(),
    value: one.get('value').number(),
    baseline: baseline.absent ? null : baseline.number(),
  };
}

/** `value comparator threshold`, computed here: the claim that it holds is only a claim. */
export function holds({ comparator, threshold, value }: Metric): boolean {
  if (comparator === '>=') return value >= threshold;
  if (comparator === '<=') return value <= threshold;
  if (comparator === '>') return value > threshold;
  return comparator === '<' ? value < threshold : value === threshold;
}

/** How much worse than the baseline, relative to it; null: it cannot be said. What is better is negative. */
export function regression({ comparator, value, baseline }: Metric): number | null {
  if (baseline === null || comparator === '==') return null;
  const worse = comparator.startsWith('>') ? baseline - value : value - baseline;
  if (worse === 0) return 0;
  return baseline === 0 ? null : worse / Math.abs(baseline);
}
