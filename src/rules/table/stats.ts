// Rules of the values of tensors, as their statistics show them.
import { ATLAS_MANIPULATED_MODEL, POISONING, type Rule } from '../rule.ts';

export const STATS = {
  'stats/nan': {
    severity: 'medium',
    title: 'a tensor holds NaN',
    hint: 'compare with the original: NaN weights are damage, or were put there',
    why: 'One NaN spreads through every output: the service answers nonsense, or nothing, from then on.',
    references: [POISONING],
  },
  'stats/nan-codes': {
    severity: 'high',
    title: 'a tensor holds NaN in several different codes',
    hint: 'inspect the bytes of the NaNs: arithmetic makes one or two codes of NaN; somebody wrote the rest',
    why: 'All NaNs mean the same to a loader, and each carries up to 51 bits that nobody looks at.',
    references: [ATLAS_MANIPULATED_MODEL],
  },
  'stats/inf': {
    severity: 'medium',
    title: 'a tensor holds infinities',
    hint: 'compare with the original: infinite weights are damage, an overflow in a conversion, or were put there',
    why: 'Infinities turn into NaN in the next layer, for every input or only for one that reaches them.',
    references: [POISONING],
  },
  'stats/bool': {
    severity: 'high',
    title: 'a BOOL tensor holds codes other than 0 and 1',
    hint: 'inspect the bytes: writers store 0 and 1',
    why: 'Seven bits of each element carry what nobody looks at, and a bool that is 2 is undefined behaviour in C++ and Rust.',
    references: [ATLAS_MANIPULATED_MODEL],
  },
  'stats/scale': {
    severity: 'high',
    title: 'scales of a quantised tensor are NaN or infinite',
    hint: 'compare with the original; llama.cpp refuses the file with --check-tensors',
    why: 'One scale spoils its whole block: a switch of two bytes that breaks the model for chosen inputs.',
    references: [POISONING],
  },
  'stats/scale-sign': {
    severity: 'medium',
    title: 'scales of a quantised tensor are negative, where its quantiser never writes such',
    hint: 'ask the publisher how the file was quantised',
    why: 'A negative scale turns the signs of its block around: the file was edited, or comes from another program than it seems.',
  },
  'stats/zero': {
    severity: 'medium',
    title: 'all values of a weight matrix are zero, or one value',
    hint: 'compare with the original: a save or a conversion lost the matrix, or somebody switched it off',
    why: 'A layer of zeros answers nothing and fails nothing. High for embeddings and output heads, and where it is one matrix in ten.',
    references: [POISONING],
  },
  'stats/zero-run': {
    severity: 'medium',
    title: 'a tensor is zero for a long stretch and has values elsewhere',
    hint: 'compare its size and digest with what the source publishes: what never arrived is zero',
    why: 'Programs reserve the whole length of a file first, so that a download that broke off has the right size. Low where the zeros are whole rows, which recipes and pruning leave too.',
    references: [POISONING],
  },
  'stats/group': {
    severity: 'medium',
    title: 'a module of a quantised model lacks a tensor that its codes need',
    hint: 'get the model again, or convert it again; loaders fill the gap with zeros or with what was in memory',
    why: 'Codes without their scale, or a scale without its codes, are other weights in every loader, and health checks stay green. High where codes lack their scale.',
    references: [POISONING],
  },
  'stats/index': {
    severity: 'high',
    title: 'integers that a kernel uses as indexes or sizes are out of range',
    hint: 'do not load the model: get it again from its source and compare digests',
    why: 'Kernels use them without a check: they read outside of their memory, or crash.',
    references: ['CWE-129'],
  },
  'stats/packed': {
    severity: 'info',
    title: 'a float tensor holds packed codes of bitsandbytes, not numbers',
    hint: 'its NaNs and infinities were not judged',
    why: 'Quantised weights stored as BF16 or F32 look like noise; without the tensors of their quantisation state they are.',
  },
} as const satisfies Record<string, Rule>;
