// An adapter against the profile of its base model: every module that it changes is there, and the shapes fit.

import { quoted } from '../../../document/violations.ts';
import { ggufName } from '../../profile/gguf-name.ts';
import type { Profile, TensorProfile } from '../../profile/profile.ts';
import type { Contradictions } from '../contradictions.ts';
import type { Adapter, AdapterModule } from './modules.ts';

/** Weights by the names that the adapter has for their modules. */
export class BaseModel {
  readonly #tensors: ReadonlyMap<string, TensorProfile>;
  readonly #names: ReadonlySet<string>;
  /** What is taken from the front of a module's name, and put there, to get the base's. */
  readonly #taken: string;
  readonly #put: string;

  constructor(base: Profile, modules: readonly string[]) {
    this.#tensors = new Map(base.tensors.map((tensor) => [tensor.name, tensor]));
    this.#names = new Set(base.tensors.map(({ name }) => name.slice(0, Math.max(0, name.lastIndexOf('.')))));
    [this.#taken, this.#put] = prefixes(modules, this.#names);
  }

  /** null: the module has no weight of its own shape (packed by a quantiser); undefined: there is no such module. */
  shapeOf(module: string): readonly number[] | null | undefined {
    const plain = module.replaceAll('.base_layer', '');
    const own = plain.startsWith(this.#taken) ? this.#put + plain.slice(this.#taken.length) : plain;
    const tensor =
      this.#tensors.get(`${own}.weight`) ??
      this.#tensors.get(plain) ??
      this.#tensors.get(ggufName(`${own}.weight`)) ??
      this.#tied(own);
    if (tensor !== undefined) return PACKED.has(tensor.dtype) ? null : tensor.shape;
    return this.#names.has(own) || this.#names.has(plain) ? null : undefined;
  }

  /** A head that shares the embedding's weight is in no file. */
  #tied(module: string): TensorProfile | undefined {
    if (/(?:^|\.)lm_head$/.test(module))
      return [...TIED].map((name) => this.#tensors.get(name)).find((tensor) => tensor !== undefined);
    return module === 'output.weight' ? this.#tensors.get('token_embd.weight') : undefined;
  }
}

const TIED = ['model.embed_tokens.weight', 'transformer.wte.weight', 'wte.weight', 'token_embd.weight'];

/** bitsandbytes and GPTQ pack several values into one of these. */
const PACKED: ReadonlySet<string> = new Set(['U8', 'I8', 'I32']);

// AutoModel saves `h.0.attn` of what AutoModelForCausalLM calls `transformer.h.0.attn`, and vision-language models the other way round.
function prefixes(modules: readonly string[], names: ReadonlySet<string>): [string, string] {
  for (const module of modules) {
    for (let at = 0; at >= 0; at = module.indexOf('.', at) + 1 || -1)
      if (names.has(module.slice(at))) return [module.slice(0, at), ''];
  }
  const [first] = modules;
  for (const name of first === undefined ? [] : names)
    if (name.endsWith(`.${first}`)) return ['', name.slice(0, -first!.length)];
  return ['', ''];
}

export function checkBase(adapter: Adapter, base: BaseModel, contradictions: Contradictions): void {
  for (const module of adapter.modules) {
    const tensor = module.a ?? module.b ?? undefined;
    if (tensor === undefined) continue;
    const place = { tensor: tensor.name, offset: tensor.start };
    const shape = base.shapeOf(module.name);
    if (shape === undefined) {
      contradictions.report(
        'adapter/base',
        adapter.path,
        `the base model has no ${quoted(module.name)}`,
        place,
      );
    } else if (shape !== null && !fits(module, shape, adapter)) {
      const actual = `A [${module.a?.shape.join(', ')}], B [${module.b?.shape.join(', ')}]`;
      contradictions.report(
        'adapter/shape',
        adapter.path,
        `the update of ${quoted(module.name)} does not fit the base`,
        {
          ...place,
          expected: `an update of [${shape.join(', ')}]`,
          actual,
        },
      );
    }
  }
}

/** GPT-2's Conv1D, embeddings and llama.cpp's tables of tokens have the input first. */
function fits({ a, b, embedding }: AdapterModule, shape: readonly number[], { format }: Adapter): boolean {
  if (a === null || b === null || shape.length < 2 || a.shape.length < 2) return a === null || b === null;
  const [out, inner] = [b.shape[0]!, a.shape[format === 'gguf' && embedding ? 0 : 1]!];
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!];
  if (shape.length === 4) {
    // A convolution in groups has a part of the inputs in its weight.
    const kernel = shape.slice(2).every((size, i) => size === (a.shape[2 + i] ?? 1));
    return out === shape[0] && inner % Math.max(1, shape[1]!) === 0 && kernel;
  }
  if (embedding) return out === columns && inner === rows;
  return (out === rows && inner === columns) || (out === columns && inner === rows);
}
