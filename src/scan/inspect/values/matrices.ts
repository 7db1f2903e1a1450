// Tensors that hold nothing: matrices of one value, weights of NaN alone, weights without an element. Damage that statistics
// measure exactly; what honest programs leave at zero (masks, untrained adapters, zero points) is told by its name and silent.
import { type Finding, toFinding } from '../../../rules/finding.ts';
import type { Severity } from '../../../rules/rules.ts';
import type { FileProfile, Profile, TensorProfile } from '../../profile/profile.ts';

export function inspectMatrices({ files, tensors }: Profile): Finding[] {
  const matrices = tensors.filter(isMatrix);
  const dead = matrices.filter(isConstant);
  const many = 10 * dead.length >= matrices.length;
  return [
    ...dead.map((tensor) =>
      constant(tensor, many ? 'high' : severityOf(tensor), dead.length, matrices.length),
    ),
    ...emptyWeights(files, tensors),
  ];
}

const LEAST = 16; // elements; fewer are equal by chance

/** Weights of floating point with two sides; a quantised one counts by its decoded values. */
function isMatrix({ name, shape, dtype, stats }: TensorProfile): boolean {
  if (stats === null || stats.coverage !== 'values' || stats.count < LEAST) return false;
  const sides = shape.filter((side) => side > 1).length;
  return shape.length === 2 && sides === 2 && FLOATING.test(dtype) && WEIGHT.test(name) && !HONEST.test(name);
}

const WEIGHT = /(^|[._/])(weights?|kernel|embeddings?|\w*proj|w\d?|lora_a|lora_down|table)$/i;
const FLOATING = /^(F16|BF16|F32|F64|Q\d|IQ|MXFP4)/;
/** Left at zero, or at one value, by honest programs. */
const HONEST =
  /bias|norm|mask|zero|lora_?(b|up|embedding_b|magnitude)|hada_w2_a|hada_w1_a|lokr_w2|lokr_w1|oft|ia3|vera|token_type|position|pos_?emb|rel_pos|cls_token|register|alpha|scale|gamma|beta|running|g_idx|rope|inv_freq|alibi|controlnet|adaln|modulation|control_vector|direction|input_blocks_0|diff_b?|gate$|attn_head|temperature/i;

function isConstant({ stats }: TensorProfile): boolean {
  const { zero, nan, min, max, count, posInf, negInf } = stats!;
  return nan === 0 && posInf + negInf === 0 && (zero === count || (min !== null && min === max));
}

const severityOf = ({ name }: TensorProfile): Severity => (VITAL.test(name) ? 'high' : 'medium');
const VITAL =
  /(^|\.)(embed_tokens|lm_head|wte|word_embeddings|embed_in|embed_out|token_embd|output|shared)\.weight$/;

function constant(tensor: TensorProfile, severity: Severity, dead: number, all: number): Finding {
  const { count, zero, min } = tensor.stats!;
  const what = zero === count ? 'zero' : `the same value, ${min}`;
  const message = `all ${count} values are ${what}; so it is in ${dead} of ${all} matrices of the model`;
  return toFinding({ rule: 'stats/zero', severity, file: tensor.file, tensor: tensor.name, message });
}

/** What loaders open by its name. */
const TAKEN =
  /(^|\/)(model|adapter_model|adapters|pytorch_model|pytorch_lora_weights|diffusion_pytorch_model|consolidated)[^/]*\.safetensors$/;

/** Of so many of a file's tensors, one in ten is more than a marker. */
const SHARE = 0.1;

/** One rank of ZeRO-3 saves weights as [0]. A marker of ComfyUI (scaled_fp8) and a single odd tensor are honest. */
function emptyWeights(files: readonly FileProfile[], tensors: readonly TensorProfile[]): Finding[] {
  const found: Finding[] = [];
  const empty = new Map<string, TensorProfile[]>();
  for (const tensor of tensors) {
    const isWeight =
      tensor.shape.includes(0) && /(^|[._])(weight|lora_?[ab]|lora_(up|down))$/i.test(tensor.name);
    if (isWeight) empty.set(tensor.file, [...(empty.get(tensor.file) ?? []), tensor]);
  }
  for (const { path, tensorCount, format, headerSize } of files) {
    const few = empty.get(path) ?? [];
    if (few.length > 1 && few.length >= SHARE * tensorCount) {
      const message = `${few.length} of ${tensorCount} tensors have no elements: saved by one rank of ZeRO-3 without gathering?`;
      found.push(toFinding({ rule: 'tensor/empty', file: path, tensor: few[0]!.name, message }));
    }
    // A vocabulary alone is an honest GGUF.
    const isNothing = format === 'safetensors' && headerSize !== null && tensorCount === 0;
    if (isNothing && (tensors.length === 0 || TAKEN.test(path)))
      found.push(toFinding({ rule: 'tensor/empty', file: path, message: 'the file holds no tensor' }));
  }
  return found;
}
