// A folder as the guides describe it: a trusted model, what came in its place, an adapter, a key. Small, and made on the spot.
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { redirect, toGguf, tune } from '../mutations/edit.ts';
import { baseModel, type Model, writeModel } from '../mutations/model.ts';
import { EMBEDDING } from '../mutations/mutation.ts';
import { encode, values } from '../mutations/weights.ts';
import { packageRoot } from '../root.ts';
import { drawn, product, type Specimen, writeAdapter } from './adapter-specimen.ts';

/** Writes it into an empty folder. */
export function writeSandbox(folder: string): void {
  const write = (name: string, change: (model: Model) => void = () => undefined): void => {
    const model = baseModel();
    change(model);
    writeModel(model, join(folder, name));
  };
  const at = (...path: string[]): string => join(folder, ...path);
  write('models/llama');
  write('incoming/llama');
  write('suspect', (model) => redirect(model, EMBEDDING, 7, 11, 13));
  write('tuned', (model) => tune(model, 1e-3));
  write('quantised', (model) => toGguf(model, 'Q8_0'));
  const lora = join(packageRoot, 'fixtures', 'real', 'tiny-lora');
  for (const name of ['adapters/good', 'adapters/suspect']) cpSync(lora, at(name), { recursive: true });
  cpSync(lora, at('path', 'to', 'model'), { recursive: true });
  writeMerge(folder);
  writePopulation(folder);
  writeFileSync(at('llama.policy.yaml'), 'schema: steelyard/policy/1\ndtypes: [BF16, F32]\n');
  cpSync(join(packageRoot, 'policies'), at('policies'), { recursive: true });
  mkdirSync(at('fixtures', 'real'), { recursive: true });
  cpSync(lora, at('fixtures', 'real', 'tiny-lora'), { recursive: true });
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  writeFileSync(at('key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  writeFileSync(at('key.pub.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
}

/** An adapter of the trusted model, and that model with the adapter merged into it. */
function writeMerge(folder: string): void {
  const module = 'model.layers.0.mlp.down_proj';
  const update: Specimen = { module, a: drawn(4, 128, 1, 0.1), b: drawn(64, 4, 2, 0.1) };
  writeAdapter(join(folder, 'adapters', 'llama'), [update]);
  const model = baseModel();
  const tensor = model.shards
    .flatMap(({ tensors }) => tensors)
    .find(({ name }) => name === `${module}.weight`)!;
  const change = product(update, 2).to1DArray();
  const merged = values(tensor.bytes, 'BF16').map((value, i) => value + change[i]!);
  tensor.bytes = encode(Float32Array.from(merged), 'BF16');
  writeModel(model, join(folder, 'merged', 'llama'));
}

/** Known-good adapters of one recipe, and two that somebody asks about. */
function writePopulation(folder: string): void {
  const write = (path: string, seed: number, odd = false): void => {
    const [a, b] = [drawn(4, 16, seed), drawn(12, 4, seed + 50)];
    if (odd) for (let row = 0; row < b.rows; row++) b.set(row, 0, 60 * b.get(row, 0));
    writeAdapter(join(folder, path), [{ module: 'layers.0.q_proj', a, b }], { base_model_name_or_path: 'm' });
  };
  for (let i = 1; i <= 59; i++) write(`known/a${i}`, 1000 + 100 * i);
  write('asked/even', 91_000);
  write('asked/odd', 92_000, true);
}
