// Hand-made reports: the smallest that shows everything a renderer can be asked to show.

import type { Finding, Report } from '../../../src/baseline/report.ts';
import type { RuleId } from '../../../src/rules/rules.ts';
import type { HistogramRun, Stats } from '../../../src/scan/measure/record/stats.ts';
import type { TensorProfile } from '../../../src/scan/profile/profile.ts';

export function specimenStats(changes: Partial<Stats> = {}): Stats {
  return {
    coverage: 'values',
    count: 4096,
    zero: 0,
    negativeZero: 0,
    nan: 0,
    posInf: 0,
    negInf: 0,
    subnormal: 0,
    distinctNaN: 0,
    min: -0.08,
    max: 0.0801,
    absMax: 0.0801,
    mean: 0.00012,
    std: 0.02,
    l1: 65.4,
    l2: 1.28, // 0.02 per element
    skewness: 0.01,
    kurtosis: 3.1,
    entropy: { code: 10.1, exponent: 2.6, mantissa: 6.99, bytes: [7.9, 4.1] },
    histogram: { negative: run(-45, 40), positive: run(-44, 40) },
    trailingZeros: [2048, 1024, 512, 256, 128, 64, 32, 32],
    quantized: null,
    rows: null,
    ...changes,
  };
}

/** Counts that rise by an eighth per bin and fall at the end, like a normal distribution's magnitudes. */
function run(first: number, length: number): HistogramRun {
  return {
    first,
    counts: Array.from({ length }, (_, bin) => Math.ceil(1.18 ** Math.min(bin, 2.6 * (length - bin)))),
  };
}

export function specimenTensor(name: string, changes: Partial<TensorProfile> = {}): TensorProfile {
  return {
    name,
    file: 'shard-1.safetensors',
    dtype: 'BF16',
    shape: [64, 64],
    start: 1000,
    end: 9192,
    sha256: 'b'.repeat(64),
    stats: specimenStats(),
    ...changes,
  };
}

export function specimenReport(changes: Partial<Report> = {}): Report {
  const gguf = { file: 'model.gguf', dtype: 'IQ2_XS', end: 4000 };
  const scales = specimenStats({ coverage: 'scales', l2: null, kurtosis: null, histogram: null });
  const rule: RuleId = 'header/truncated';
  const finding: Finding = { rule, severity: 'info', file: 'model.gguf', message: 'general.name is empty' };
  const tensors = [
    ...Array.from({ length: 8 }, (_, layer) => specimenTensor(`model.layers.${layer}.mlp.up_proj.weight`)),
    specimenTensor('model.layers.8.mlp.up_proj.weight', { stats: specimenStats({ l2: 58.4 }) }),
    specimenTensor('model.layers.9.mlp.up_proj.weight', { stats: specimenStats({ kurtosis: 812 }) }),
    specimenTensor('model.layers.10.mlp.up_proj.weight', { stats: specimenStats({ nan: 3, posInf: 1 }) }),
    specimenTensor('model.norm.bias', {
      dtype: 'F32',
      shape: [64],
      stats: specimenStats({ count: 64, zero: 64 }),
    }),
    specimenTensor('evil\u001b[2J\r\n::stop-commands::x\u202e', { end: 9_000_000 }),
    specimenTensor('blk.0.ffn_up.weight', { ...gguf, stats: scales }),
    specimenTensor('blk.1.ffn_up.weight', { ...gguf, stats: null, sha256: null }),
  ];
  return {
    schema: 'steelyard/report/1',
    tool: { name: 'steelyard', version: '0.1.0' },
    complete: false,
    verdict: {
      outcome: 'fail',
      failOn: 'high',
      counts: { info: 1, low: 0, medium: 42, high: 0, critical: 1 },
    },
    files: [
      {
        path: 'config.json',
        format: null,
        size: 482,
        sha256: 'c'.repeat(64),
        tensorCount: 0,
        headerSize: null,
        metadata: [],
        templates: [],
      },
      {
        path: 'shard-1.safetensors',
        format: 'safetensors',
        size: 9_980_736_000,
        sha256: 'a'.repeat(64),
        tensorCount: 13,
        headerSize: 1000,
        metadata: [{ key: 'format', type: 'string', value: 'pt' }],
        templates: [],
      },
      {
        path: 'model.gguf',
        format: 'gguf',
        size: 4980,
        sha256: 'd'.repeat(64),
        tensorCount: 2,
        headerSize: 512,
        metadata: [{ key: 'tokens', type: 'array', digest: 'e'.repeat(64), size: 3000, count: 320 }],
        templates: [{ name: 'default', source: 'metadata', digest: 'f'.repeat(64) }],
      },
    ],
    tensors,
    findings: [
      finding,
      ...Array.from(
        { length: 42 },
        (_, layer): Finding => ({
          ...finding,
          severity: 'medium',
          tensor: `blk.${layer}.ffn_up.weight`,
          message: 'the name stands twice',
        }),
      ),
      {
        ...finding,
        severity: 'critical',
        offset: 1_048_576,
        message: 'the header says 2,000,000 bytes',
        expected: 'at most 4,980 bytes',
        actual: '2,000,000 bytes\u001b[31m',
      },
    ],
    errors: [
      {
        code: 'IO',
        file: 'shard-2.safetensors',
        offset: 65536,
        errno: 'EIO',
        message: 'read failed; check the disk and scan again',
      },
    ],
    timing: {
      seconds: 5.83,
      bytesPerSecond: 1_712_000_000,
      threads: 2,
      kernel: 'shani',
      files: [{ path: 'shard-1.safetensors', seconds: 5.8 }],
    },
    ...changes,
  };
}
