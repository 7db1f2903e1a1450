// Rules of models in several files: an index and its shards, numbered shards, splits, and paths that collide.
import {
  ATLAS_MANIPULATED_MODEL,
  ATLAS_SUPPLY_CHAIN,
  ATLAS_UNSAFE_ARTIFACT,
  MALFORMED,
  type Rule,
  SUPPLY_CHAIN,
} from '../rule.ts';

const WEIGHT_MAP = 'huggingface_hub, "Serialization" (weight_map, total_size)';
const GGUF_SPLIT = 'llama.cpp tools/gguf-split (split.no, split.count, split.tensors.count)';
const SAME_SOURCE = 'get all shards and their index from the same source and revision';

export const SHARD = {
  'shard/alone': {
    severity: 'info',
    title: 'a file is one of several, and the others were not named',
    hint: 'scan the folder, or the index, to have the whole model looked at',
    why: 'A loader opens the others too: what was said of one file says nothing of the model.',
  },

  'shard/index': {
    severity: 'critical',
    title: 'a shard index does not say where tensors are',
    hint: MALFORMED,
    why: 'Nobody can tell which tensors the model has; a loader that goes on anyway takes whatever is in the folder.',
    references: [WEIGHT_MAP],
  },
  'shard/path': {
    severity: 'critical',
    title: 'a shard index names a path instead of a file beside it',
    hint: 'do not load the model: its index may lead a loader out of the folder',
    why: 'The loader opens files that the attacker chose, outside of what was scanned and approved.',
    references: [WEIGHT_MAP, ATLAS_SUPPLY_CHAIN],
  },
  'shard/missing': {
    severity: 'critical',
    title: 'a shard that the index names is missing',
    hint: 'get the missing shard from the same source and revision',
    why: 'What was scanned is not the model: the shard that comes later was looked at by nobody.',
    references: [WEIGHT_MAP],
  },
  'shard/tensor-missing': {
    severity: 'critical',
    title: 'a shard lacks a tensor that the index maps to it',
    hint: SAME_SOURCE,
    why: 'Loaders that tolerate missing tensors fill them with noise: a layer of the model is gone and nothing fails.',
    references: [WEIGHT_MAP],
  },
  'shard/tensor-misplaced': {
    severity: 'critical',
    title: 'a tensor is in a different shard than the index states',
    hint: SAME_SOURCE,
    why: 'A loader that follows the index misses it, one that reads whole shards finds it: two models in one folder.',
    references: [WEIGHT_MAP, ATLAS_MANIPULATED_MODEL],
  },
  'shard/tensor-unmapped': {
    severity: 'critical',
    title: 'a shard holds a tensor that the index does not map',
    hint: SAME_SOURCE,
    why: 'A loader that reads whole shards takes it, one that follows the index does not: the model that was reviewed is not the one that is served.',
    references: [WEIGHT_MAP, ATLAS_MANIPULATED_MODEL],
  },
  'shard/tensor-duplicate': {
    severity: 'critical',
    title: 'a tensor is in two shards: loaders differ in which one they take',
    hint: MALFORMED,
    why: 'A poisoned copy of a layer waits in a second shard for the loader that reads that one last.',
    references: [WEIGHT_MAP, GGUF_SPLIT, ATLAS_MANIPULATED_MODEL],
  },
  'shard/format': {
    severity: 'critical',
    title: 'a safetensors index names a file of a different format',
    hint: 'do not load the model: loaders choose the reader by the file, and for other formats that is often the unpickler',
    why: 'An index that promises safetensors makes the loader unpickle a file, which runs the code in it.',
    references: [WEIGHT_MAP, ATLAS_UNSAFE_ARTIFACT],
  },
  'shard/stray': {
    severity: 'high',
    title: 'a weight file lies beside an index that does not name it',
    hint: 'remove it, or find out whose it is: some loaders take every weight file of the folder, or this one instead of the shards',
    why: 'transformers prefers model.safetensors to an index, and vLLM, SGLang and MLX load all weight files of a folder: who adds a file changes the model and leaves every approved shard as it was.',
    references: [SUPPLY_CHAIN, ATLAS_MANIPULATED_MODEL],
  },
  'shard/alternative': {
    severity: 'low',
    title: 'the model is there a second time, in one file beside its shards',
    hint: 'make sure that the copy which is loaded is the one that was approved, or leave the other one out',
    why: 'Two copies need not be equal, and which one is loaded depends on the loader and its options.',
    references: [SUPPLY_CHAIN],
  },
  'shard/total-size': {
    severity: 'medium',
    title: 'the total_size of the index differs from the size of its tensors',
    hint: 'the index was made for other shards, or by a careless writer: compare both with their source',
    why: 'Shards that were exchanged or tensors that were added leave the old sum behind.',
    references: [WEIGHT_MAP],
  },
  'shard/number': {
    severity: 'critical',
    title: 'files numbered k of n are not a complete set',
    hint: 'get all shards from the same source and revision',
    why: 'What was scanned is not the model: the shard that comes later was looked at by nobody.',
    references: [WEIGHT_MAP, GGUF_SPLIT],
  },
  'shard/split': {
    severity: 'critical',
    title: "a GGUF split's metadata does not say which split it is, or contradicts its name",
    hint: 'get all splits from the same source and revision, or split the model again',
    why: 'Loaders look for the other splits by these numbers, and take the files that they lead to.',
    references: [GGUF_SPLIT],
  },
  'shard/tensor-count': {
    severity: 'critical',
    title: 'the splits of a GGUF model hold more or fewer tensors than they say',
    hint: 'get all splits from the same source and revision, or split the model again',
    why: 'A split was exchanged for one with other tensors, or lost some.',
    references: [GGUF_SPLIT],
  },
  'shard/architecture': {
    severity: 'critical',
    title: 'the splits of a GGUF model are of different architectures',
    hint: 'get all splits from the same source and revision',
    why: 'A split of another model has taken the place of one.',
    references: [GGUF_SPLIT],
  },
  'path/collision': {
    severity: 'high',
    title: 'two paths differ only in letter case or Unicode form: on many systems they are one file',
    hint: 'rename or remove one: which of them survives a copy is chance',
    why: 'The file that was scanned is replaced by its twin when the model is copied to Windows, macOS or a network share.',
    references: [SUPPLY_CHAIN],
  },
} as const satisfies Record<string, Rule>;
