// Reports of differences, made by a seeded generator: what a page can be asked to show, without models of gigabytes.
import type { AdapterDiff, ModuleSpectrum } from '../../../src/diff/adapter/adapter-report.ts';
import type {
  AxisChange,
  Difference,
  DiffReport,
  TensorChange,
  TensorPlace,
} from '../../../src/diff/report/diff-report.ts';

/** mulberry32: the same numbers everywhere. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const LAYERS = 32;
const MODULES: readonly (readonly [string, readonly number[], number])[] = [
  ['input_layernorm', [4096], 4e-4],
  ['self_attn.q_proj', [4096, 4096], 3.2e-3],
  ['self_attn.k_proj', [1024, 4096], 3.6e-3],
  ['self_attn.v_proj', [1024, 4096], 2.1e-3],
  ['self_attn.o_proj', [4096, 4096], 1.9e-3],
  ['post_attention_layernorm', [4096], 3e-4],
  ['mlp.gate_proj', [14336, 4096], 2.6e-3],
  ['mlp.up_proj', [14336, 4096], 2.4e-3],
  ['mlp.down_proj', [4096, 14336], 2.8e-3],
];
const EMBEDDING = 'model.embed_tokens.weight';
const EDITED = 'model.layers.17.mlp.down_proj.weight';

/**
 * An ordinary fine-tune in which somebody hid three things: three rows of the embedding replaced at their old norm, an edit of
 * rank one in one down_proj, and a tensor more.
 */
export function plantedDiff(): DiffReport {
  const random = seeded(7);
  const tuned: TensorChange[] = [];
  for (let layer = 0; layer < LAYERS; layer++)
    for (const [module, shape, size] of MODULES) {
      const name = `model.layers.${layer}.${module}.weight`;
      const slope = 0.35 + 1.3 * Math.sin((Math.PI * (layer + 2)) / 38) ** 2;
      tuned.push(change(name, shape, tuning(shape, size * slope * (0.9 + 0.2 * random()), random)));
    }
  const edited = tuned.findIndex(({ suspect }) => suspect.name === EDITED);
  tuned[edited] = change(EDITED, [4096, 14336], rankOne(random));
  return report({
    conclusions: [
      {
        kind: 'rank-one-edit',
        concern: 'tampering',
        message: `the change of "${EDITED}" has rank one: one association was rewritten (ROME-like)`,
        tensors: [EDITED],
        evidence: [
          { name: 'stable rank', value: 1.04, limit: 'at most 1.5' },
          { name: 'σ₂/σ₁', value: 0.061, limit: 'below 0.25' },
          { name: 'relative change', value: 0.0712 },
          { name: 'the same module in other layers, median', value: 0.00315 },
        ],
        caveat: 'a merged adapter of rank one on this one module',
      },
      {
        kind: 'rows-replaced',
        concern: 'tampering',
        message: `3 rows of "${EMBEDDING}" were replaced at unchanged norm`,
        tensors: [EMBEDDING],
        evidence: [
          { name: 'rows changed', value: 3, limit: 'at most 64' },
          { name: 'rows', value: 128256 },
          { name: 'largest change of a row’s norm', value: 0.0021, limit: 'below 0.01' },
          { name: 'largest cosine, old to new', value: 0.0413, limit: 'below 0.5' },
        ],
        caveat: 'reserved tokens that were given a meaning; look at which tokens they are',
      },
      {
        kind: 'tensor-added',
        concern: 'tampering',
        message: '1 tensor is new: "model.layers.31.mlp.extra.bias"',
        tensors: ['model.layers.31.mlp.extra.bias'],
        evidence: [{ name: 'elements', value: 16384 }],
        caveat: 'a newer export of the same architecture',
      },
      {
        kind: 'fine-tune',
        concern: 'recipe',
        message: '287 tensors changed a little, smoothly over the layers',
        tensors: tuned.filter(({ suspect }) => suspect.name !== EDITED).map(({ suspect }) => suspect.name),
        evidence: [{ name: 'relative change, median', value: 0.00231, limit: 'below 0.1' }],
        caveat: 'a backdoor that was trained in looks like this',
      },
    ],
    structure: [
      { kind: 'added', good: null, suspect: place('model.layers.31.mlp.extra.bias', [16384], 'c') },
    ],
    files: [{ path: 'generation_config.json', good: 'a'.repeat(64), suspect: 'b'.repeat(64) }],
    metadata: [{ file: 'model.safetensors', key: 'format', good: 'pt', suspect: null }],
    tensors: [change(EMBEDDING, [128256, 4096], replacedRows(random)), ...tuned],
    identical: 2,
  });
}

/** Nothing differs. */
export const sameDiff = (): DiffReport => report({ outcome: 'same', identical: 291 });

export function report(changes: Partial<DiffReport>): DiffReport {
  const side = (sha256: string): DiffReport['good'] => ({
    files: [
      { path: 'model.safetensors', format: 'safetensors', size: 16_060_522_904, sha256: sha256.repeat(64) },
      { path: 'config.json', format: null, size: 654, sha256: 'e'.repeat(64) },
    ],
    tensorCount: 291,
    count: 8_030_261_248,
    size: 16_060_523_558,
  });
  return {
    schema: 'steelyard/diff/1',
    tool: { name: 'steelyard', version: '0.1.0' },
    complete: true,
    outcome: 'changed',
    good: side('a'),
    suspect: side('b'),
    conclusions: [],
    structure: [],
    files: [],
    metadata: [],
    tensors: [],
    identical: 0,
    adapter: null,
    errors: [],
    ...changes,
  };
}

export const place = (name: string, shape: readonly number[], sha256: string): TensorPlace => ({
  name,
  file: 'model.safetensors',
  dtype: 'BF16',
  shape,
  sha256: sha256.repeat(64),
});

export const change = (
  name: string,
  shape: readonly number[],
  difference: Difference | null,
  reason: string | null = null,
): TensorChange => ({ good: place(name, shape, 'a'), suspect: place(name, shape, 'b'), difference, reason });

const product = (shape: readonly number[]): number => shape.reduce((count, length) => count * length, 1);

/** Every row a little, a spectrum that falls slowly, the low bits of the mantissa most. */
export function tuning(shape: readonly number[], relative: number, random: () => number): Difference {
  const count = product(shape);
  const goodNorm = 0.02 * Math.sqrt(count);
  const norm = goodNorm * relative;
  const share = Math.min(0.95, 90 * relative);
  return {
    ...difference(count, Math.round(count * share), norm, goodNorm),
    bits: [0.91, 0.4, 0.18, 0.08, 0.035, 0.015, 0.006, 0.0025, 2e-4, 4e-5, 0, 0, 0, 0, 0, 1e-4].map((part) =>
      Math.round(count * share * part),
    ),
    rows: shape.length === 2 ? even(shape[0]!, norm, random) : null,
    columns: shape.length === 2 ? even(shape[1]!, norm, random) : null,
    spectrum:
      shape.length === 2
        ? {
            method: 'estimate',
            error: 0.02,
            values: Array.from({ length: 16 }, (_, rank) => norm * 0.31 * (rank + 1) ** -0.45),
            stableRank: 10.4,
          }
        : null,
  };
}

function rankOne(random: () => number): Difference {
  const shape = [4096, 14336];
  const base = tuning(shape, 0.0712, random);
  const first = base.norm * 0.981;
  return {
    ...base,
    spectrum: {
      method: 'estimate',
      error: 0.02,
      values: Array.from({ length: 16 }, (_, rank) => (rank === 0 ? first : first * 0.061 * rank ** -0.35)),
      stableRank: 1.04,
    },
  };
}

function replacedRows(random: () => number): Difference {
  const rows = 128256;
  const width = 4096;
  const found = [
    { index: 31_337, token: 'Ġcf' },
    { index: 74_021, token: '\u202etxt.exe' },
    { index: 101_888, token: 'Ġtq' },
  ].map((line) => ({ ...line, norm: 1.21 + 0.1 * random(), goodNorm: 0.873, suspectNorm: 0.8731 }));
  const norm = Math.hypot(...found.map((line) => line.norm));
  const bands = Array.from({ length: 256 }, () => 0);
  for (const { index, norm: moved } of found) bands[Math.floor((index / rows) * 256)] = moved;
  return {
    ...difference(rows * width, 12_255, norm, 213),
    bits: [6120, 6140, 6118, 6133, 6099, 6127, 6151, 5480, 3920, 1630, 512, 101, 88, 0, 0, 6131],
    rows: { count: rows, changed: 3, keptNorm: 3, unused: 0, participation: 2.99, bands, largest: found },
    columns: even(width, norm, random),
    spectrum: { method: 'estimate', error: 0.02, values: [1.31, 1.24, 1.22, 0.003], stableRank: 2.9 },
  };
}

const difference = (count: number, changed: number, norm: number, goodNorm: number): Difference => ({
  count,
  changed,
  firstChanged: 0,
  notFinite: 0,
  norm,
  goodNorm,
  suspectNorm: Math.hypot(norm, goodNorm),
  relativeNorm: norm / goodNorm,
  cosine: goodNorm / Math.hypot(norm, goodNorm),
  maxAbs: (8 * norm) / Math.sqrt(count),
  bits: null,
  rows: null,
  columns: null,
  spectrum: null,
  elements: null,
});

function even(count: number, norm: number, random: () => number): AxisChange {
  const bands = Array.from({ length: 256 }, () => (norm / 16) * (0.85 + 0.3 * random()));
  const each = norm / Math.sqrt(count);
  const largest = Array.from({ length: 8 }, (_, place) => ({
    index: Math.floor(random() * count),
    norm: each * (2.4 - 0.1 * place),
    goodNorm: 1.28,
    suspectNorm: 1.281,
  }));
  return { count, changed: count, keptNorm: null, unused: null, participation: 0.9 * count, bands, largest };
}

/** Two adapters of rank 16; the suspect's down_proj of the later layers were trained on something else. */
export function adapterDiff(): AdapterDiff {
  const random = seeded(11);
  const modules = Array.from({ length: LAYERS }, (_, layer) => layer).flatMap((layer) =>
    ['q_proj', 'v_proj', 'down_proj'].map((module) => {
      const odd = module === 'down_proj' && layer > 20;
      const scale = 0.4 + 0.02 * layer;
      return {
        module: `model.layers.${layer}.${module === 'down_proj' ? 'mlp' : 'self_attn'}.${module}`,
        layer,
        good: spectrum(scale, 0.3, random),
        suspect: spectrum(odd ? 1.3 * scale : scale, odd ? 0.7 : 0.3, random),
        pair: {
          norm: scale * (odd ? 1.4 : 0.06),
          relativeNorm: (odd ? 1.2 : 0.05) * (0.8 + 0.4 * random()),
          cosine: odd ? 0.31 : 0.998,
          singularValues: values(odd ? 1.2 * scale : 0.04, 0.4),
          overlap: odd ? { left: 0.21, right: 0.18 } : { left: 0.97, right: 0.96 },
          novelEnergy: odd ? 0.74 : 0.021,
        },
        reason: null,
      };
    }),
  );
  return {
    good: { rank: 16, scaling: 'alpha/r', modules: modules.length, norm: 7.31, layers: layers(0) },
    suspect: { rank: 16, scaling: 'alpha/r', modules: modules.length, norm: 8.04, layers: layers(0.02) },
    modules,
    population: {
      count: 24,
      pValue: 0.04,
      adjusted: null,
      reason: null,
      rank: 1,
      statistics: [
        { name: 'ln norm', value: 2.08, robustZ: 1.9 },
        { name: 'logit energy of σ₁', value: -0.4, robustZ: 4.6 },
        { name: 'spectral entropy', value: 0.83, robustZ: -3.1 },
      ],
    },
  };
}

/** Shares that rise over the layers; of the suspect more in the later ones. */
function layers(more: number): { readonly layer: number; readonly share: number }[] {
  const energies = Array.from(
    { length: LAYERS },
    (_, layer) => 1 + 0.05 * layer + (layer > 20 ? 20 * more : 0),
  );
  const whole = energies.reduce((sum, energy) => sum + energy, 0);
  return energies.map((energy, layer) => ({ layer, share: energy / whole }));
}

const values = (first: number, fall: number): number[] =>
  Array.from({ length: 16 }, (_, rank) => first * (rank + 1) ** -fall);

function spectrum(first: number, fall: number, random: () => number): ModuleSpectrum {
  const singularValues = values(first * (0.95 + 0.1 * random()), fall);
  return {
    rank: 16,
    scale: 2,
    shape: [4096, 4096],
    singularValues,
    norm: Math.hypot(...singularValues),
    energy: 0.14,
    entropy: 0.95,
    effectiveRank: 14.1,
    participation: 13.2,
    kurtosis: 3.4,
  };
}
