// What a model is called in what is written about it, and where that lies..
import { basename, relative, resolve } from 'node:path';
import { modelRoot } from '../../proof/sign/files/model-digest.ts';
import { SteelyardError } from '../../rules/error.ts';

/** null: not below the model's root. */
export function insideOf(root: string, path: string): string | null {
  const inside = relative(root, resolve(path));
  return inside.startsWith('..') ? null : inside;
}

/** The model's name; and the file that is written about it is no part of it, if it lies there. */
export function naming(paths: readonly string[], output: string): { name: string; ignore: string[] } {
  const root = modelRoot(paths);
  const name = basename(paths.length === 1 ? resolve(paths[0]!) : root);
  if (name === '') throw new SteelyardError('USAGE', 'the root of the file system is no model');
  const inside = insideOf(root, output);
  return { name, ignore: inside === null ? [] : [inside] };
}
