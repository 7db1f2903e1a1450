// Rules of the data section: every byte belongs to exactly one tensor.
import {
  ATLAS_MANIPULATED_MODEL,
  ATLAS_UNSAFE_ARTIFACT,
  GGUF_FORMAT,
  MALFORMED,
  type Rule,
  SAFETENSORS_FORMAT,
} from '../rule.ts';

const LOOK = 'something may be hidden there: inspect the bytes; get the file again from its source';

export const DATA = {
  'data/overlap': {
    severity: 'critical',
    title: 'two tensors share bytes',
    hint: MALFORMED,
    why: 'Two models in one file: what a check of one tensor finds says nothing of the other, and a small file unfolds to a huge one in memory.',
    references: [SAFETENSORS_FORMAT],
  },
  'data/hole': {
    severity: 'critical',
    title: 'bytes between tensors belong to no tensor',
    hint: LOOK,
    why: 'A payload rides along in a file that loads and works: loaders skip it, a second program extracts it.',
    references: [SAFETENSORS_FORMAT, ATLAS_MANIPULATED_MODEL],
  },
  'data/trailing-bytes': {
    severity: 'critical',
    title: 'bytes follow the last tensor',
    hint: LOOK,
    why: 'Many formats are read from their end: an archive appended here makes the file a model and an archive at once.',
    references: [SAFETENSORS_FORMAT, ATLAS_MANIPULATED_MODEL],
  },
  'data/padding': {
    severity: 'high',
    title: 'padding bytes are not zero',
    hint: 'inspect the bytes: writers pad with zeros, so something else wrote there',
    why: 'Up to 31 bytes per tensor, thousands of tensors: room for a payload in a file that every loader accepts.',
    references: [GGUF_FORMAT],
  },
  'data/payload': {
    severity: 'critical',
    title: 'bytes outside every tensor contain a file of a different format',
    hint: 'treat the file as malicious: keep it away from machines that extract or run what they find, and keep a copy as evidence',
    why: 'An executable, archive or pickle inside a model is there to be extracted by a stager that alone looks harmless.',
    references: [ATLAS_MANIPULATED_MODEL, ATLAS_UNSAFE_ARTIFACT],
  },
} as const satisfies Record<string, Rule>;
