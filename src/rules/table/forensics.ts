// Rules of `--forensics`: traces of payloads in the values of tensors. docs/forensics.md has how often each is wrong, and what
// none of them can see.
import { ATLAS_MANIPULATED_MODEL, ATLAS_UNSAFE_ARTIFACT, type Rule } from '../rule.ts';

const EVILMODEL = 'Wang et al., EvilModel 2.0, arXiv 2109.04344 (payloads in the bytes of weights)';
const EXTRACT =
  'treat the tensor as a carrier: keep a copy as evidence, extract those bytes and look at them';
const PROVENANCE = 'ask how this tensor was made: a payload leaves this, and so may another way of rounding';

export const FORENSICS = {
  'forensics/embedded-file': {
    severity: 'critical',
    title: 'bytes of a tensor contain the header of a file of a different format',
    hint: 'treat the file as malicious: keep it away from machines that extract or run what they find, and keep a copy as evidence',
    why: 'A stager that looks harmless reads the low bytes of the weights, writes them to a file and runs it.',
    references: [EVILMODEL, ATLAS_UNSAFE_ARTIFACT],
  },
  'forensics/plain-stretch': {
    severity: 'high',
    title: 'a stretch of a byte plane is less random than the rest of its tensor',
    hint: EXTRACT,
    why: 'The low bytes of trained weights are noise from end to end; programs, text and scripts are not.',
    references: [EVILMODEL, ATLAS_MANIPULATED_MODEL],
  },
  'forensics/random-stretch': {
    severity: 'high',
    title: 'a stretch of a byte plane is more random than the rest of its tensor',
    hint: EXTRACT,
    why: 'The leading mantissa bits of weights are never quite uniform; encrypted and compressed bytes written over them are.',
    references: [EVILMODEL, ATLAS_MANIPULATED_MODEL],
  },
  'forensics/rounding': {
    severity: 'medium',
    title: 'mantissas of a tensor are rounded otherwise than those of the tensors beside it',
    hint: PROVENANCE,
    why: 'Rounding to nearest leaves fewer mantissas of 0 than of 1; lowest bits that were replaced make them equal.',
    references: ['Westfeld and Pfitzmann, IH 1999 (attacks on steganographic systems)', EVILMODEL],
  },
  'forensics/equal-pairs': {
    severity: 'high',
    title:
      'codes that differ in their lowest bits only are equally frequent, and in the tensors beside it they are not',
    hint: EXTRACT,
    why: 'Replacing the lowest bits by a payload makes values of a pair equally many, which values of a distribution are not.',
    references: [
      'Westfeld and Pfitzmann, IH 1999 (attacks on steganographic systems)',
      ATLAS_MANIPULATED_MODEL,
    ],
  },
  'forensics/low-bits': {
    severity: 'critical',
    title: 'low bits of a tensor are set that are zero in nearly all tensors beside it',
    hint: EXTRACT,
    why: 'Values that came from a narrower type end in zeros; a payload written there changes no result and no moment.',
    references: [EVILMODEL, ATLAS_MANIPULATED_MODEL],
  },
  'forensics/nan-payload': {
    severity: 'high',
    title: 'a NaN carries a payload, or signals',
    hint: 'inspect the bytes of the NaN: arithmetic makes the quiet one without payload',
    why: 'All NaNs mean the same to a loader, and each carries bits that nobody looks at.',
    references: ['IEEE 754-2019, 6.2.1', ATLAS_MANIPULATED_MODEL],
  },
  'forensics/nan-channel': {
    severity: 'critical',
    title: 'NaNs of a tensor carry many different payloads',
    hint: EXTRACT,
    why: 'Sixteen codes of NaN and more are no accident: they spell something.',
    references: ['IEEE 754-2019, 6.2.1', ATLAS_MANIPULATED_MODEL],
  },
  'forensics/quantiser': {
    severity: 'high',
    title: 'blocks of a Q8_0 tensor are not as its quantiser makes them',
    hint: 'quantise the original again and compare; whoever changed the quants afterwards left this',
    why: 'The largest of 32 quants is 127 or -127 in every block, and -128 in none; replaced low bits break half of the blocks.',
    references: ['ggml-quants.c, quantize_row_q8_0_ref', ATLAS_MANIPULATED_MODEL],
  },
} as const satisfies Record<string, Rule>;
