// An adapter against the profile of its base model: every module that it changes is there, and the shapes fit. How many were held
// against it is always told: a comparison of nothing is no pass.

import { quoted } from '../../../document/violations.ts';
import type { Adapter } from '../../adapter/adapter.ts';
import { type AdapterModule, placeOf, sizeOf } from '../../adapter/module.ts';
import { updateShape } from '../../adapter/update.ts';
import { ggufName } from '../../profile/gguf-name.ts';
import type { Profile, TensorProfile } from '../../profile/profile.ts';
import type { Contradictions } from '../contradictions.ts';
import { BaseNames } from './base-names.ts';

interface Found {
  /** null: packed by a quantiser, so that it has no shape of its own. */
  readonly tensor: TensorProfile | null;
  /** What was taken from the front of the module's name, and put there; null: nothing. */
  readonly tolerated: string | null;
}

/** Weights by the names that the adapter has for their modules. */
export class BaseModel {
  readonly #tensors: ReadonlyMap<string, TensorProfile>;
  readonly #names: BaseNames;

  constructor(base: Profile, { spelling }: Adapter) {
    this.#tensors = new Map(base.tensors.map((tensor) => [tensor.name, tensor]));
    this.#names = new BaseNames(
      base.tensors.map(({ name }) => name),
      spelling,
    );
  }

  /** undefined: there is no such module. */
  find(module: string): Found | undefined {
    const plain = module.replaceAll('.base_layer', '');
    const exact =
      this.#tensors.get(plain) ?? this.#tensors.get(ggufName(`${plain}.weight`)) ?? this.#tied(plain);
    if (exact !== undefined) return { tensor: PACKED.has(exact.dtype) ? null : exact, tolerated: null };
    const known = this.#names.find(plain);
    if (known === undefined) return undefined;
    const tensor = this.#tensors.get(`${known.name}.weight`) ?? this.#tensors.get(known.name);
    const isPacked = tensor === undefined || PACKED.has(tensor.dtype);
    return { tensor: isPacked ? null : tensor, tolerated: known.tolerated };
  }

  /** Frobenius norm of a module's weight; null: not known. */
  normOf(module: string): number | null {
    return this.find(module)?.tensor?.stats?.l2 ?? null;
  }

  /** A head that shares the embedding's weight is in no file. */
  #tied(module: string): TensorProfile | undefined {
    if (/(?:^|\.)lm_head$/.test(module) && !this.#tensors.has(`${module}.weight`))
      return TIED.map((name) => this.#tensors.get(name)).find((tensor) => tensor !== undefined);
    return module === 'output.weight' ? this.#tensors.get('token_embd.weight') : undefined;
  }
}

const TIED = ['model.embed_tokens.weight', 'transformer.wte.weight', 'wte.weight', 'token_embd.weight'];

/** bitsandbytes and GPTQ pack several values into one of these. */
const PACKED: ReadonlySet<string> = new Set(['U8', 'I8', 'I32']);

export function checkBase(adapter: Adapter, base: BaseModel, contradictions: Contradictions): void {
  const { path, modules } = adapter;
  const tolerated = new Map<string, number>();
  let held = 0;
  for (const module of modules) {
    const found = base.find(module.name);
    if (found === undefined) {
      const message = `the base model has no ${quoted(module.name)}`;
      contradictions.report('adapter/base', path, message, placeOf(module));
      continue;
    }
    held++;
    const how = found.tolerated ?? '';
    tolerated.set(how, (tolerated.get(how) ?? 0) + 1);
    if (found.tensor !== null) checkShape(adapter, module, found.tensor.shape, contradictions);
  }
  if (held === 0) return;
  const message = `${held} of ${modules.length} modules were compared with the base model`;
  contradictions.report('adapter/compared', path, message);
  tellPrefixes(path, tolerated, contradictions);
}

/** Tools that compare names as they are serve the base model alone where a prefix is another. */
function tellPrefixes(
  path: string,
  tolerated: ReadonlyMap<string, number>,
  contradictions: Contradictions,
): void {
  for (const [how, count] of tolerated) {
    if (how === '') continue;
    const message = `${count} modules are in the base model only ${how}`;
    contradictions.report('adapter/prefix', path, message);
  }
  if (tolerated.size > 1) {
    const message = `its modules match the base model in ${tolerated.size} ways`;
    contradictions.report('adapter/prefixes', path, message);
  }
}

function checkShape(
  adapter: Adapter,
  module: AdapterModule,
  shape: readonly number[],
  contradictions: Contradictions,
): void {
  const update = updateShape(module, adapter.spelling === 'gguf');
  const problem =
    update === null || typeof update === 'string'
      ? vectorProblem(module, shape)
      : fits(update, shape, module.embedding)
        ? null
        : `[${update.join(', ')}]`;
  if (problem === null) return;
  const message = `the update of ${quoted(module.name)} does not fit the base`;
  contradictions.report('adapter/shape', adapter.path, message, {
    ...placeOf(module),
    expected: `an update of [${shape.join(', ')}]`,
    actual: problem,
  });
}

/** GPT-2's Conv1D, embeddings and llama.cpp's tables of tokens have the input first. */
function fits(update: readonly number[], shape: readonly number[], embedding: boolean): boolean {
  if (shape.length < 2) return sizeOf(update) === sizeOf(shape);
  const [out, inner, ...kernel] = update as [number, number, ...number[]];
  if (shape.length > 2 && update.length === shape.length && update.join() === shape.join()) return true;
  if (shape.length === 4 || shape.length === 5) return fitsConvolution(update, shape);
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!];
  if (update.length === 3 && shape.length === 3) return update.join() === shape.join();
  if (kernel.length > 0 && sizeOf(kernel) !== 1) return false;
  if (embedding) return out === columns && inner === rows;
  return (out === rows && inner === columns) || (out === columns && inner === rows);
}

/** A convolution in groups has a part of the inputs in its weight; products have the kernel in the inputs. */
function fitsConvolution([out, inner, ...kernel]: readonly number[], shape: readonly number[]): boolean {
  const own = shape.slice(2);
  const same = own.every((size, i) => size === (kernel[i] ?? 1));
  return (
    out === shape[0] && ((inner! % Math.max(1, shape[1]!) === 0 && same) || inner === sizeOf(shape.slice(1)))
  );
}

/** Vectors and rotations act along one side; null: they fit. */
function vectorProblem({ family, parts }: AdapterModule, shape: readonly number[]): string | null {
  const sides = [shape.at(-2)!, shape.at(-1)!, shape[0]!];
  const length =
    family === 'ia3' ? sizeOf(parts.vector!.shape) : family === 'vera' ? sizeOf(parts.b?.shape ?? [0]) : null;
  return length === null || sides.includes(length) ? null : `a vector of ${length}`;
}
