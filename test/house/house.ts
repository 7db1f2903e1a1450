// The sources of the house as the tests of this folder look at them: files, what they import and export.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { packageRoot } from '../kit/root.ts';

export { packageRoot };

export interface Import {
  /** From src/. */
  readonly path: string;
  readonly typesOnly: boolean;
  /** By `import()`, when it is needed. */
  readonly late: boolean;
}

export interface Source {
  /** From src/; of a file elsewhere, from the package. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  /** Packages that are loaded with it. */
  readonly packages: readonly string[];
  readonly exports: readonly string[];
  /** Paths of the files of src/ that it imports. */
  readonly named: ReadonlySet<string>;
}

const KEPT_OUT = new Set([
  '.git',
  '.tap',
  '.stryker-tmp',
  'build',
  'dist',
  'out',
  'prebuilds',
  'node_modules',
]);

interface Tree {
  /** Folder → its children's names. */
  readonly folders: ReadonlyMap<string, readonly string[]>;
  readonly files: readonly string[];
  /** TypeScript outside src/. */
  readonly others: readonly Source[];
}

/** Everything that is kept below a folder of the package; not what is built or installed. */
export function treeOf(folder: string): Tree {
  const folders = new Map<string, string[]>();
  const files: string[] = [];
  const walk = (path: string): void => {
    const entries = readdirSync(join(packageRoot, path), { withFileTypes: true }).filter(
      ({ name }) => !KEPT_OUT.has(name),
    );
    folders.set(
      path,
      entries.map(({ name }) => name),
    );
    for (const entry of entries) {
      const child = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory()) walk(child);
      else files.push(child);
    }
  };
  walk(folder);
  const others = files
    .filter((path) => /^(test|bench|fixtures|examples)\/.*\.ts$/.test(path))
    .map((path) => sourceOf(path, path));
  return { folders, files, others };
}

/** Every file of src/, by its path from there. */
export const sources: ReadonlyMap<string, Source> = new Map(
  treeOf('src')
    .files.filter((path) => path.endsWith('.ts'))
    .map((path) => [path.slice(4), sourceOf(path, path.slice(4))]),
);

export const isInside = (path: string, folder: string): boolean => path.startsWith(`${folder}/`);

function sourceOf(file: string, path: string): Source {
  const text = readFileSync(join(packageRoot, file), 'utf8');
  const all = importsOf(text);
  const inside = all
    .filter(({ path }) => path.startsWith('.'))
    .map((one) => ({ ...one, path: normalize(join(dirname(file), one.path)) }))
    .filter(({ path }) => path.startsWith('src/'))
    .map((one) => ({ ...one, path: one.path.slice('src/'.length) }));
  return {
    path,
    text,
    lines: text.split('\n').length - 1,
    imports: inside,
    packages: all
      .filter(({ path, typesOnly, late }) => !typesOnly && !late && !/^(\.|node:)/.test(path))
      .map(({ path }) => path),
    exports: exportsOf(text),
    named: new Set(inside.map((one) => one.path)),
  };
}

function importsOf(text: string): Import[] {
  const found: Import[] = [];
  for (const [, types, names, specifier] of text.matchAll(
    /^(?:import|export) (type )?([^;'"]*?)from '([^']+)';/gms,
  )) {
    const listed = /^\{(.*)\}\s*$/s
      .exec(names!.trim())?.[1]
      ?.split(',')
      .filter((name) => name.trim() !== '');
    const typesOnly =
      types !== undefined || (listed?.every((name) => name.trim().startsWith('type ')) ?? false);
    found.push({ path: specifier!, typesOnly, late: false });
  }
  for (const [, specifier] of text.matchAll(/^import '([^']+)'/gm))
    found.push({ path: specifier!, typesOnly: false, late: false });
  for (const [, specifier] of text.matchAll(/\bimport\('([^']+)'/g))
    found.push({ path: specifier!, typesOnly: false, late: true });
  return found;
}

function exportsOf(text: string): string[] {
  const declared = /^export (?:async )?(?:const|function\*?|class|interface|type|enum) (\w+)/gm;
  return [...text.matchAll(declared)].map(([, name]) => name!);
}
