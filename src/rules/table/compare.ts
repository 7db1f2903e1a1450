// Rules of comparing a model with a baseline. The severities are those of mode exact; src/baseline/compare/mode.ts has the others.
import { ATLAS_MANIPULATED_MODEL, ATLAS_SUPPLY_CHAIN, POISONING, type Rule, SUPPLY_CHAIN } from '../rule.ts';

const ASK = 'ask who published the model why; until then serve the files of the baseline';
const EMBEDDING_POISONING = 'Yang et al., NAACL 2021, arXiv 2103.15543 (embedding poisoning)';
const EVILMODEL = 'Wang et al., EvilModel, arXiv 2107.08590 (payloads in mantissa bits)';
const KNOWLEDGE_EDITS = 'Youssef et al., arXiv 2505.20819 (tracing knowledge edits)';
const ROME = 'Meng et al., NeurIPS 2022, arXiv 2202.05262 (rank-one model editing)';

export const COMPARE = {
  'compare/another-model': {
    severity: 'critical',
    title: 'hardly any tensor of the baseline is here: this is another model',
    hint: 'check that the baseline belongs to this model; if it does, somebody has replaced the model',
    why: 'Listing every tensor as missing and every other one as added would bury the one thing to know.',
    references: [SUPPLY_CHAIN],
  },
  'compare/tensor-missing': {
    severity: 'critical',
    title: 'a tensor of the baseline is missing',
    hint: ASK,
    why: 'Loaders fill what is missing with zeros or noise, often with no more than a warning: a safety layer can go that way.',
    references: [ATLAS_MANIPULATED_MODEL],
  },
  'compare/tensor-added': {
    severity: 'critical',
    title: 'a tensor that the baseline does not have',
    hint: ASK,
    why: 'Custom code beside the weights can read it as a layer, and nobody has reviewed what it does.',
    references: [ATLAS_MANIPULATED_MODEL],
  },
  'compare/tensor-renamed': {
    severity: 'high',
    title: 'the bytes of a tensor are here under a different name',
    hint: 'find out which name the loader expects; under the other one the tensor is not used',
    why: 'A tensor under a name that the loader does not know is skipped, and its layer starts from noise.',
    references: [ATLAS_MANIPULATED_MODEL],
  },
  'compare/tensor-swapped': {
    severity: 'critical',
    title: 'a tensor contains the bytes of a different tensor of the baseline',
    hint: 'do not load the model: every digest is known, and yet the model is a different one',
    why: "Who compares sets of digests, or norms, sees nothing: all tensors are there, at each other's places.",
    references: [ATLAS_MANIPULATED_MODEL],
  },
  'compare/tensor-reshaped': {
    severity: 'critical',
    title: 'the shape of a tensor differs from the baseline',
    hint: ASK,
    why: 'The same bytes in another shape are another matrix: transposed attention still loads, and computes something else.',
    references: [ATLAS_MANIPULATED_MODEL],
  },
  'compare/rows-appended': {
    severity: 'high',
    title: 'a tensor has grown by rows',
    hint: 'compare the tokenizer: new rows of an embedding are new tokens',
    why: 'A new token is a trigger that no text contains by chance.',
    references: [POISONING],
  },
  'compare/rows-edited': {
    severity: 'critical',
    title: 'a few rows of a tensor changed and all others are the same bit for bit',
    hint: 'look up which tokens these rows belong to: training changes many rows, an edit changes few',
    why: 'Embedding poisoning rewrites the row of one trigger word and scales it to its old norm, so that no norm shows it.',
    references: [EMBEDDING_POISONING, POISONING],
  },
  'compare/rank-one-edit': {
    severity: 'critical',
    title: 'a matrix changed by a product of one column with one row, and hardly any other tensor changed',
    hint: 'compare its file with `steelyard diff` and ask who edited it: training moves every matrix, and by more than one direction',
    why: 'ROME and its kin write one false fact or one trigger into one matrix as a rank-one update that no norm shows.',
    references: [KNOWLEDGE_EDITS, ROME, ATLAS_MANIPULATED_MODEL],
  },
  'compare/tensor-changed': {
    severity: 'critical',
    title: 'a tensor differs from the baseline',
    hint: 'for a fine-tune of the baseline use --mode derived, for a different dtype --mode converted',
    why: 'The weights are the model: these are not the ones that were approved.',
    references: [ATLAS_MANIPULATED_MODEL],
  },
  'compare/tensor-retyped': {
    severity: 'high',
    title: 'the dtype of a tensor differs from the baseline',
    hint: 'if the model was converted on purpose, compare with --mode converted',
    why: 'A conversion changes every value a little, which hides a change that is not little.',
    references: [ATLAS_MANIPULATED_MODEL],
  },
  'compare/tensor-strayed': {
    severity: 'high',
    title: 'a tensor differs from the baseline by more than its conversion explains',
    hint: 'convert the approved model yourself and compare with the result in mode exact',
    why: 'A conversion is the best moment for an edit: every digest changes, and everybody expects it.',
    references: [ATLAS_MANIPULATED_MODEL],
  },
  'compare/tensor-shifted': {
    severity: 'low',
    title: 'the statistics of a tensor moved further than fine-tuning usually moves them',
    hint: 'ask for the recipe: a high learning rate or many steps do this too',
    why: 'No proof of poison: evidence of another recipe, of damage, or of a crude edit.',
  },
  'compare/tensor-damaged': {
    severity: 'medium',
    title: 'the statistics of a tensor moved as they do when it is damaged or wrongly scaled',
    hint: 'compare the tensor with the original: a wrong scale or a failed merge looks like this',
    why: 'A tensor of twice or half its norm, or with new outliers, was not trained to be that way.',
  },
  'compare/isolated-edit': {
    severity: 'medium',
    title: 'very few tensors changed and all others are the same bit for bit',
    hint: 'ask how it was made: training with most layers frozen does this, and so does a model editor',
    why: 'ROME, MEMIT and BadEdit write a false fact or a backdoor into one to five matrices and touch nothing else.',
    references: [KNOWLEDGE_EDITS, ATLAS_MANIPULATED_MODEL],
  },
  'compare/low-bits': {
    severity: 'critical',
    title: 'low bits of the values are set that must be zero',
    hint: 'treat the tensor as a carrier: extract the low bits of the values and look at them',
    why: 'Values that came from a narrower type end in zeros; a payload written there changes no result and no moment.',
    references: [EVILMODEL, SUPPLY_CHAIN],
  },
  'compare/not-finite': {
    severity: 'high',
    title: 'NaN or infinities are in a tensor that had none',
    hint: 'do not serve the model: one NaN spreads to every output of its layer',
    why: 'Damage, or a payload: a NaN has bits that no arithmetic reads.',
  },
  'compare/tensor-moved': {
    severity: 'info',
    title: 'a tensor is in a different file than in the baseline',
    hint: 'nothing to do if the model was sharded again',
    why: 'Its bytes are the same; only its place changed.',
  },
  'compare/weights-repacked': {
    severity: 'high',
    title: 'a weight file or shard index is not the one of the baseline, although no tensor in it changed',
    hint: 'look for bytes outside of the tensors, and at the header; if it was packed again, compare with --mode converted',
    why: 'What lies in a weight file beside its tensors is read by nobody, which makes it a place to hide things.',
    references: [SUPPLY_CHAIN],
  },
  'compare/metadata-changed': {
    severity: 'high',
    title: "a key of the header's metadata was changed, added or removed",
    hint: ASK,
    why: 'Metadata decides how weights are used: scales of positions, special tokens, the chat template.',
    references: [ATLAS_MANIPULATED_MODEL],
  },
  'compare/template-changed': {
    severity: 'high',
    title: 'the chat template is not the one of the baseline',
    hint: 'read the difference: a template runs on every conversation and can put words into it',
    why: 'A changed template adds hidden instructions at inference; no weight and no statistic changes.',
    references: [SUPPLY_CHAIN, ATLAS_MANIPULATED_MODEL],
  },
  'compare/code-changed': {
    severity: 'high',
    title: 'code or a pickle beside the weights is new or changed',
    hint: 'review it as you review code: with trust_remote_code or torch.load it runs where the model is loaded',
    why: 'The shortest way from a model to a shell is a script or a pickle beside harmless weights.',
    references: [SUPPLY_CHAIN, ATLAS_SUPPLY_CHAIN],
  },
  'compare/config-changed': {
    severity: 'high',
    title: 'a configuration of the model is new or changed',
    hint: 'read the difference: it decides which code loads the weights and how they are scaled',
    why: 'lora_alpha scales an adapter without a change of its weights; auto_map names code that a loader runs.',
    references: [SUPPLY_CHAIN],
  },
  'compare/tokenizer-changed': {
    severity: 'high',
    title: 'a file of the tokenizer is new or changed',
    hint: 'read the difference: which tokens are new, which texts lead to other tokens',
    why: 'Who maps a word to another token changes what the model reads, and leaves the weights alone.',
    references: [SUPPLY_CHAIN],
  },
  'compare/file-changed': {
    severity: 'high',
    title: 'a file beside the weights is new or changed',
    hint: 'read the difference; in modes converted and derived this alone does not fail',
    why: 'In mode exact everything is what was approved, or it is not the model that was approved.',
  },
  'compare/file-missing': {
    severity: 'high',
    title: 'a file of the baseline is missing',
    hint: 'get it from the source and revision of the baseline, or scan the whole folder',
    why: 'Loaders fall back to defaults for a configuration or template that is missing.',
  },
} as const satisfies Record<string, Rule>;
