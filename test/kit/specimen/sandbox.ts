// A folder as the guides describe it: a trusted model, what came in its place, an adapter, a key. Small, and made on the spot.
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { redirect, toGguf, tune } from '../mutations/edit.ts';
import { baseModel, type Model, writeModel } from '../mutations/model.ts';
import { EMBEDDING } from '../mutations/mutation.ts';
import { packageRoot } from '../root.ts';

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
  writeFileSync(at('llama.policy.yaml'), 'schema: steelyard/policy/1\ndtypes: [BF16, F32]\n');
  cpSync(join(packageRoot, 'policies'), at('policies'), { recursive: true });
  mkdirSync(at('fixtures', 'real'), { recursive: true });
  cpSync(lora, at('fixtures', 'real', 'tiny-lora'), { recursive: true });
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  writeFileSync(at('key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  writeFileSync(at('key.pub.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
}
