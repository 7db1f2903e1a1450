// The ends of the names that adapters' tensors have, in every spelling that is read here. Sources: PEFT's tuners (prefix of each
// model.py), sd-scripts' networks/lora.py, LyCORIS' modules, diffusers' loaders/lora_conversion_utils.py, ComfyUI's comfy/lora.py
// and comfy/weight_adapter/, mlx-lm's tuner/{lora,dora}.py.
import type { FactorName, Family, Part } from '../module.ts';

type Row = readonly [family: Family, part: Part, more?: 'embedding' | 'flipped'];

/** Nothing but an adapter has tensors of these names. */
const STRONG: ReadonlyMap<string, Row> = new Map<string, Row>([
  ['lora_A.weight', ['lora', 'a']],
  ['lora_B.weight', ['lora', 'b']],
  ['lora_A', ['lora', 'a']],
  ['lora_B', ['lora', 'b']],
  ['lora_E', ['adalora', 'e']],
  ['lora_embedding_A', ['lora', 'a', 'embedding']],
  ['lora_embedding_B', ['lora', 'b', 'embedding']],
  ['lora_magnitude_vector', ['lora', 'magnitude']],
  ['lora_magnitude_vector.weight', ['lora', 'magnitude']],
  ['lora_B.bias', ['lora', 'bias']],
  ['lora_down.weight', ['lora', 'a']],
  ['lora_up.weight', ['lora', 'b']],
  ['lora_mid.weight', ['lora', 'mid']],
  ['lora_up.bias', ['lora', 'bias']],
  ['lora.down.weight', ['lora', 'a']],
  ['lora.up.weight', ['lora', 'b']],
  ['lora_linear_layer.down.weight', ['lora', 'a']],
  ['lora_linear_layer.up.weight', ['lora', 'b']],
  ['lora_a', ['lora', 'a', 'flipped']],
  ['lora_b', ['lora', 'b', 'flipped']],
  ['hada_w1_a', ['loha', 'w1a']],
  ['hada_w1_b', ['loha', 'w1b']],
  ['hada_w2_a', ['loha', 'w2a']],
  ['hada_w2_b', ['loha', 'w2b']],
  ['hada_t1', ['loha', 't1']],
  ['hada_t2', ['loha', 't2']],
  ['lokr_w1', ['lokr', 'w1']],
  ['lokr_w1_a', ['lokr', 'w1a']],
  ['lokr_w1_b', ['lokr', 'w1b']],
  ['lokr_w2', ['lokr', 'w2']],
  ['lokr_w2_a', ['lokr', 'w2a']],
  ['lokr_w2_b', ['lokr', 'w2b']],
  ['lokr_t2', ['lokr', 't2']],
  ['ia3_l', ['ia3', 'vector']],
  ['oft_R.weight', ['oft', 'rotation']],
  ['oft_R', ['oft', 'rotation']],
  ['oft_r', ['oft', 'rotation']],
  ['oft_s', ['oft', 'magnitude']],
  ['oft_blocks', ['oft', 'rotation']],
  ['oft_diag', ['oft', 'rotation']],
  ['boft_R', ['boft', 'rotation']],
  ['boft_s', ['boft', 'magnitude']],
  ['vera_lambda_b', ['vera', 'b']],
  ['vera_lambda_d', ['vera', 'd']],
  ['diff', ['full', 'diff']],
  ['diff_b', ['full', 'diffBias']],
  ['set_weight', ['full', 'diff']],
  ['w_norm', ['full', 'norm']],
  ['b_norm', ['full', 'norm']],
]);

/** Parts of a module that other tensors have made known: alone these words may mean anything. */
const WEAK: ReadonlyMap<string, Part> = new Map<string, Part>([
  ['alpha', 'alpha'],
  ['dora_scale', 'magnitude'],
  ['magnitude', 'magnitude'],
  ['m', 'magnitude'],
  ['scalar', 'scalar'],
  ['rescale', 'rescale'],
  ['reshape_weight', 'reshape'],
  ['diff_b', 'bias'],
]);

/** GLoRA's words are so short that only all of them together mean it. */
const GLORA: ReadonlyMap<string, Part> = new Map<string, Part>([
  ['a1.weight', 'a1'],
  ['a2.weight', 'a2'],
  ['b1.weight', 'b1'],
  ['b2.weight', 'b2'],
]);

const MOST_SEGMENTS = 3;

/** null: no name of a factor. */
export function strongSuffix(name: string): FactorName | null {
  const plain = name.replace(/\.default(?=\.weight$|$)/, '');
  for (const [tail, at] of tailsOf(plain)) {
    const row = STRONG.get(tail);
    if (row !== undefined) return at < 1 ? null : named(plain.slice(0, at - 1), row);
  }
  // diffusers' attention processors: to_q_lora.down.weight.
  const processor = /^(.+)_lora\.(down|up)\.weight$/.exec(plain);
  if (processor !== null) return named(processor[1]!, ['lora', processor[2] === 'down' ? 'a' : 'b']);
  return null;
}

const named = (module: string, [family, part, more]: Row): FactorName => ({
  module,
  family,
  part,
  embedding: more === 'embedding',
  flipped: more === 'flipped',
});

/** Longest first, with the place at which each begins. */
function tailsOf(name: string): [tail: string, at: number][] {
  const tails: [string, number][] = [];
  for (let end = name.length, i = 0; i < MOST_SEGMENTS && end > 0; i++) {
    const at = name.lastIndexOf('.', end - 1) + 1;
    tails.unshift([name.slice(at), at]);
    end = at - 1;
  }
  return tails;
}

/** The module and part that a name would have if its module is known. */
export const weakSuffix = (name: string): readonly [module: string, part: Part] | null => partIn(WEAK, name);
export const gloraSuffix = (name: string): readonly [module: string, part: Part] | null =>
  partIn(GLORA, name);

function partIn(table: ReadonlyMap<string, Part>, name: string): readonly [string, Part] | null {
  for (const [tail, at] of tailsOf(name)) {
    const part = table.get(tail);
    if (part !== undefined && at > 1) return [name.slice(0, at - 1), part];
  }
  return null;
}
