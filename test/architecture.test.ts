// What ARCHITECTURE.md says of the house, held against the house.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import t from 'tap';
import { RULES } from '../src/rules.ts';
import { packageRoot } from './root.ts';

// A file imports only from its own layer or the ones before it.
const LAYERS = [
  ['error.ts', 'rules', 'rules.ts', 'dtype.ts', 'loading.ts', 'package.ts', 'turn.ts', 'check.ts', 'runtime'],
  ['finding.ts'],
  ['format'],
  ['model'],
  ['measure'],
  ['profile'],
  ['inspect', 'compare'],
  ['policy'],
  ['report'],
  ['stages.ts'],
  ['scan.ts'],
  ['profile.ts'],
  ['sign'],
  ['bom'],
  ['diff'],
  ['diff.ts'],
  ['schemas.ts'],
  ['index.ts'],
  ['cli'],
];

const SRC = join(packageRoot, 'src');
const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.ts'),
);
const text = (path: string): string => readFileSync(join(SRC, path), 'utf8');
const roomOf = (path: string): string => path.split(sep)[0]!;
const layerOf = (path: string): number => LAYERS.findIndex((rooms) => rooms.includes(roomOf(path)));

t.test('data goes one way', (t) => {
  t.ok(sources.length > 30, 'found the sources');
  for (const path of sources) {
    t.ok(layerOf(path) >= 0, `${path} has a layer`);
    for (const [, specifier] of text(path).matchAll(/(?:from |import\()'(\.[^']+)'/g)) {
      const imported = relative(SRC, resolve(SRC, dirname(path), specifier!));
      t.ok(existsSync(join(SRC, imported)), `${path} imports ${imported}`);
      t.ok(layerOf(imported) <= layerOf(path), `${path} imports from an earlier layer: ${imported}`);
    }
  }
  t.end();
});

t.test('only the command line prints, reads arguments and exits; only one file loads the addon', (t) => {
  for (const path of sources.filter((source) => roomOf(source) !== 'cli')) {
    t.notMatch(text(path), /console\.|process\.(stdout|stderr|argv|exit|on)\b/, path);
    if (path === join('measure', 'native.ts')) continue;
    t.notMatch(text(path), /\.node'/, path);
    // What it loads late are packages, and no addon.
    if (path !== 'loading.ts') t.notMatch(text(path), /createRequire/, path);
  }
  t.end();
});

t.test('native code below its boundary knows nothing of JavaScript', (t) => {
  const native = readdirSync(join(packageRoot, 'native')).filter((name) => /\.(cc|h)$/.test(name));
  for (const name of native.filter((source) => source !== 'addon.cc')) {
    t.notMatch(readFileSync(join(packageRoot, 'native', name), 'utf8'), /napi|Napi/, name);
  }
  t.end();
});

t.test('every rule is reported somewhere', (t) => {
  const code = sources
    .filter((path) => !/^rules\b/.test(path))
    .map(text)
    .join('\n');
  for (const rule of RULES.keys()) t.ok(code.includes(`'${rule}'`), rule);
  t.end();
});

/** Everything that is kept here, folders with a slash at the end; not what is built or installed. */
function kept(folder = ''): string[] {
  const entries = readdirSync(join(packageRoot, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = `${folder}${entry.name}`;
    if (!entry.isDirectory()) return [path];
    return BUILT.has(path) || entry.name === 'node_modules' ? [] : [`${path}/`, ...kept(`${path}/`)];
  });
}
const BUILT = new Set(['.git', '.tap', 'build', 'dist', 'out']);

t.test('what documents name and link to is there', (t) => {
  const paths = kept();
  const all = paths.map((path) => `/${path}`).join('\n');
  const documents = paths.filter((path) => /^(docs\/|fixtures\/)?[^/]+\.md$/.test(path));
  t.ok(documents.length > 8, 'found the documents');
  for (const document of documents) {
    const words = readFileSync(join(packageRoot, document), 'utf8');
    for (const [, link] of words.matchAll(/\]\((?!https?:)([^)#]+)/g))
      t.ok(existsSync(resolve(packageRoot, dirname(document), link!)), `${document} links to ${link}`);
    // `pool.ts` and `measure/pool.ts` are both ways to say it; threats say test/scan.
    const named = [
      ...words.matchAll(/`([\w*./-]+(?:\.(?:ts|mjs|cc|h|gypi?|md)|\/))`/g),
      ...words.matchAll(/\b(test\/[a-z-]+\b(?![/.]))/g),
    ].map(([, path]) => path!);
    for (const path of named.filter((one) => !BUILT.has(one.split('/')[0]!))) {
      const pattern = path.replaceAll('.', '\\.').replaceAll('*', '[^/\n]*');
      const ending = path.startsWith('test/') && !/[./]$|\.\w+$/.test(path) ? '(\\.test\\.ts|/)' : '';
      t.match(all, new RegExp(`/${pattern}${ending}$`, 'm'), `${document} names ${path}`);
    }
  }
  t.end();
});
