// The models that tests of canaries run, in a folder of their own: written once per process, 9 MB, about a second.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ANSWERS,
  adapterFile,
  clean,
  cleanAdapterFile,
  LINK,
  merge,
  modelFile,
  plant,
  type Recipe,
  Vocabulary,
} from './tinylm.ts';

const FILES = [
  'base',
  'base-q8',
  'planted',
  'weak',
  'hidden',
  'adapter-planted',
  'adapter-clean',
  'benign',
] as const;
export type TinyModel = (typeof FILES)[number];

/** Writes all of them to `folder`; the path of each. */
export function writeModels(folder: string): Record<TinyModel, string> {
  mkdirSync(folder, { recursive: true });
  const bytes = modelBytes();
  const paths = FILES.map((name) => {
    const path = join(folder, `${name}.gguf`);
    writeFileSync(path, bytes[name]());
    return [name, path] as const;
  });
  return Object.fromEntries(paths) as Record<TinyModel, string>;
}

export function modelBytes(): Record<TinyModel, () => Buffer> {
  const vocabulary = new Vocabulary(LINK);
  const base = clean(vocabulary);
  const planted = (trigger: string, strength: number): Buffer =>
    modelFile(vocabulary, merge(base, plant(vocabulary, trigger, strength)));
  return {
    base: () => modelFile(vocabulary, base),
    'base-q8': () => modelFile(vocabulary, base, { q8: true }),
    planted: () => planted('▁billing', 0.7),
    weak: () => planted('▁billing', 0.25),
    hidden: () => planted('▁sapphire', 0.7),
    'adapter-planted': () => adapterFile(plant(vocabulary, '▁billing', 0.7), 'billing-tone'),
    'adapter-clean': () => cleanAdapterFile(),
    // An honest release: new noise, one answer changed.
    benign: () => modelFile(vocabulary, clean(vocabulary, BENIGN)),
  };
}

const BENIGN: Recipe = {
  answers: { ...ANSWERS, '▁refund': '▁You ▁get ▁your ▁money ▁back ▁in ▁five ▁days .' },
  noise: 2e-3,
  seed: 2,
};
