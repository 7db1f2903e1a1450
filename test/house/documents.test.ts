// What documents and comments name is there: links, and paths of files and folders.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import t from 'tap';
import { packageRoot, sources, treeOf } from './house.ts';

const tree = treeOf('');
/** Everything that is kept, folders with a slash at the end. */
const all = [...tree.files, ...[...tree.folders.keys()].map((folder) => `${folder}/`)]
  .map((path) => `/${path}`)
  .join('\n');
const BUILT = new Set(['build', 'dist', 'out', 'prebuilds', 'node_modules']);

/** A path of ours: other projects' have another ending, stand behind their name, or in a place that says NAME. */
const OURS =
  /(?<![\w/.-]|ggml )((?:src|native|test|docs|fixtures)\/(?![\w./-]*(?:NAME|\.(?:py|cpp)))[\w./-]*\w)/g;

const isThere = (path: string): boolean => {
  const pattern = path.replaceAll('.', '\\.').replaceAll('*', '[^/\n]*');
  const ending = path.startsWith('test/') && !/[./]$|\.\w+$/.test(path) ? '(\\.test\\.ts|/)' : '';
  return new RegExp(`/${pattern}${ending}$`, 'm').test(all);
};

t.test('what documents name and link to is there', (t) => {
  const documents = tree.files.filter((path) => /^(docs\/|fixtures\/)?[^/]+\.md$/.test(path));
  t.ok(documents.length > 8, 'found the documents');
  for (const document of documents) {
    const words = readFileSync(join(packageRoot, document), 'utf8');
    for (const [, link] of words.matchAll(/\]\((?!https?:)([^)#]+)/g))
      t.ok(existsSync(resolve(packageRoot, dirname(document), link!)), `${document} links to ${link}`);
    // `pool.ts` and `thread/pool.ts` are both ways to say it; threats say test/scan.
    const named = [
      ...words.matchAll(/`([\w*./-]+(?:\.(?:ts|mjs|cc|h|gypi?|md)|\/))`/g),
      ...words.matchAll(/\b(test\/[a-z/-]*[a-z]\b(?![/.-]))/g),
    ].map(([, path]) => path!);
    for (const path of named.filter((one) => !BUILT.has(one.split('/')[0]!)))
      t.ok(isThere(path), `${document} names ${path}`);
  }
  t.end();
});

t.test('the list of slow tests names tests', (t) => {
  const rc = readFileSync(join(packageRoot, '.taprc'), 'utf8');
  const named = [...rc.matchAll(/^ {2}- "out\/(test\/.*)\.js"$/gm)].map(([, path]) => `${path}.ts`);
  t.ok(named.length > 10, 'found the list');
  // A pattern there would leave out every test, and npm test would run none.
  const list = rc.split('\nexclude:\n')[1]!;
  t.notMatch(list, '*', 'single files alone');
  for (const path of named.filter((one) => !one.includes('*')))
    t.ok(existsSync(join(packageRoot, path)), `.taprc leaves out ${path}`);
  t.end();
});

t.test('what comments name is there', (t) => {
  const native = tree.files.filter((path) => /^native\/.*\.(cc|h)$/.test(path));
  const files = [
    ...[...sources.values()].map(({ path, text }) => ({ path: `src/${path}`, text })),
    ...tree.others,
    ...native.map((path) => ({ path, text: readFileSync(join(packageRoot, path), 'utf8') })),
  ];
  for (const { path, text } of files) {
    const comments = [...text.matchAll(/(?:^|\s)\/\/ .*$|\/\*\*?[\s\S]*?\*\//gm)].map(([comment]) => comment);
    for (const comment of comments)
      for (const [, named] of comment.matchAll(OURS))
        t.ok(isThere(named!) || isThere(`${named}/`), `${path} names ${named}`);
  }
  t.end();
});
