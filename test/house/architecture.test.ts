// What ARCHITECTURE.md says of the house, checked against the house: rooms and their order, doors, circles, sizes, dead exports.
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { RULES } from '../../src/rules/rules.ts';
import { isInside, packageRoot, type Source, sources, treeOf } from './house.ts';

/** A file imports only from its own room or the ones before it. */
const ROOMS = [
  'rules',
  'runtime',
  'document',
  'source',
  'scan',
  'baseline',
  'scan.ts',
  'profile.ts',
  'proof',
  'diff',
  'pull',
  'canary',
  'serving',
  'gate',
  'fleet',
  'report',
  'index.ts',
  'cli',
];

/** The same inside a room, where its folders have an order. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  scan: ['dtype.ts', 'format', 'model', 'identify', 'measure', 'profile', 'adapter', 'inspect'],
  baseline: ['policy', 'compare', 'report.ts', 'stages.ts'],
  proof: ['sign', 'attestation.ts', 'keys', 'bom'],
};

/** Rooms of tools: each file is a door of its own. A section of any other room has one, the file of its name. */
const SHELVES = ['rules', 'runtime', 'document', 'cli'];
/** Rooms whose sections are folders of their own; the other rooms are one section. */
const SECTIONED = ['scan', 'baseline', 'proof', 'serving'];

/** Further doors of a section: what is loaded apart from its door, or is a subject that others build on. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  'baseline/compare': ['conversion.ts', 'explanation.ts', 'mode.ts', 'pairing.ts'],
  'baseline/policy': [
    'day.ts',
    'document/parse-policy.ts',
    'draft.ts',
    'matches.ts',
    'unexamined.ts',
    'verdict.ts',
  ],
  canary: ['compare/canary-schema.ts', 'report/report.ts', 'sweep/sweep.ts', 'target/target.ts'],
  diff: [
    'adapter/many/many.ts',
    'page/page.ts',
    'report/diff-json.ts',
    'report/diff-schema.ts',
    'report/diff-text.ts',
    'report/population-text.ts',
  ],
  'proof/bom': ['creation.ts', 'cyclonedx.ts', 'mbom-document.ts', 'tensors-digest.ts', 'verification.ts'],
  'proof/keys': ['keyless/keyless.ts', 'trust-list.ts'],
  'proof/sign': [
    'attestation.ts',
    'files/comparison.ts',
    'files/exclusion.ts',
    'files/model-digest.ts',
    'bundle/bundle.ts',
    'bundle/encoding.ts',
    'bundle/envelope.ts',
    'refusal.ts',
    'files/reuse.ts',
    'sealing.ts',
    'signer/identity.ts',
    'signer/key.ts',
    'signer/signature.ts',
    'statement/statement.ts',
    'statement/manifest.ts',
    'statement/model-statement.ts',
    'statement/path.ts',
    'verify.ts',
  ],
  gate: [
    'approval/approval-documents.ts',
    'claim/piece.ts',
    'incident/drill/drill.ts',
    'evidence/writing.ts',
    'image/image-signing.ts',
    'image/image.ts',
    'image/registry.ts',
    'incident/find.ts',
    'incident/query.ts',
    'incident/recall-list.ts',
    'incident/walk.ts',
    'input/folder.ts',
    'input/release-bytes.ts',
    'layout/layout-document.ts',
    'layout/layout-writing.ts',
    'release-policy/release-policy.ts',
    'verdict/denial.ts',
    'verdict/promotion.ts',
    'verdict/summary.ts',
    'verdict/verdict-schema.ts',
    'verdict/verdict-text.ts',
  ],
  'serving/drift': ['record.ts', 'state.ts'],
  'serving/lint': ['serving-schema.ts'],
  source: [
    'http/document.ts',
    'http/failure.ts',
    'http/header.ts',
    'http/http.ts',
    'oci/login.ts',
    's3/aws-json.ts',
  ],
  pull: ['borrowed.ts', 'peek/peek.ts', 'receipt/lock.ts', 'receipt/receipt-verification.ts'],
  report: [
    'format/format.ts',
    'neutral/reading.ts',
    'report-json.ts',
    'schemas.ts',
    'template/template-text.ts',
    'text/findings.ts',
    'text/text.ts',
  ],
  'scan/format': ['disguise/magic.ts', 'disguise/pickle.ts', 'safetensors/shard-index.ts'],
  'scan/identify': ['content.ts', 'examination.ts', 'first-look.ts', 'kind.ts', 'settings.ts'],
  'scan/adapter': [
    'config/adapter-config.ts',
    'config/expression.ts',
    'config/selection.ts',
    'module.ts',
    'parts.ts',
    'scale.ts',
    'spelling/spelling.ts',
    'update.ts',
  ],
  'scan/inspect': ['adapter/base.ts', 'names/confusables.ts', 'one-cause.ts', 'template/view/view.ts'],
  'scan/measure': [
    'difference/difference-pool.ts',
    'difference/difference.ts',
    'native.ts',
    'options.ts',
    'plan.ts',
    'spectrum.ts',
    'thread/pool.ts',
    'thread/read-error.ts',
    'thread/workers.ts',
    'ticker.ts',
  ],
  'scan/model': [
    'claim/other-digests.ts',
    'companion.ts',
    'file.ts',
    'left-out.ts',
    'links.ts',
    'loadable.ts',
  ],
  'scan/profile': [
    'build.ts',
    'document/document.ts',
    'document/parse-profile.ts',
    'document/profile-lines.ts',
    'document/profile-schema.ts',
    'gguf-name.ts',
    'template/collect.ts',
    'template/loader/loader.ts',
  ],
};

const MOST_CHILDREN = 12;
/** src/ holds the whole mission; test/ mirrors it; a table has a file per family of rules. */
const MORE_CHILDREN: Readonly<Record<string, number>> = {
  src: 18,
  test: 18,
  'src/rules/table': 40,
  'docs/schemas': 40,
};
const MOST_LINES = 250;

const index = (list: readonly string[], path: string): number =>
  list.findIndex((room) => path === room || path.startsWith(`${room}/`));

/** What importers see of a wing: nothing in the house goes through it but the face of the whole. */
const isFace = (path: string): boolean => basename(path) === 'index.ts';
const doorsOf = (section: string): readonly string[] => [
  `${basename(section)}.ts`,
  ...(DOORS[section] ?? []),
];
function sectionOf(path: string): string | null {
  const [room, folder, ...rest] = path.split('/');
  if (folder === undefined || SHELVES.includes(room!)) return null;
  if (!SECTIONED.includes(room!)) return room!;
  return rest.length === 0 ? null : `${room}/${folder}`;
}
const allFiles: readonly Source[] = [...sources.values(), ...treeOf('').others];

t.test('data goes one way', (t) => {
  t.ok(sources.size > 250, 'found the sources');
  for (const source of sources.values()) {
    t.ok(index(ROOMS, source.path) >= 0, `${source.path} stands in a room`);
    for (const { path } of source.imports) {
      t.ok(sources.has(path), `${source.path} imports ${path}`);
      t.ok(index(ROOMS, path) <= index(ROOMS, source.path), `${source.path} imports from before it: ${path}`);
      const room = source.path.split('/')[0]!;
      const order = FOLDERS[room];
      if (order === undefined || !path.startsWith(`${room}/`)) continue;
      const [from, to] = [source.path, path].map((one) => index(order, one.slice(room.length + 1)));
      t.ok(to! <= from!, `${source.path} imports from before it in ${room}/: ${path}`);
    }
  }
  t.end();
});

t.test('a section has one door', (t) => {
  for (const source of sources.values()) {
    for (const { path, typesOnly } of source.imports) {
      const section = sectionOf(path);
      if (typesOnly || section === null || isInside(source.path, section) || isFace(source.path)) continue;
      t.ok(
        doorsOf(section).includes(path.slice(section.length + 1)),
        `${source.path} goes through the door of ${section}/: ${path}`,
      );
    }
  }
  for (const [section, doors] of Object.entries(DOORS))
    for (const door of doors)
      t.ok(isEntered(section, `${section}/${door}`), `the door ${section}/${door} is used from outside`);
  t.end();
});

function isEntered(section: string, door: string): boolean {
  return [...sources.values()].some(
    ({ path, imports }) =>
      !isInside(path, section) && imports.some((one) => !one.typesOnly && one.path === door),
  );
}

t.test('no file goes in a circle, types included', (t) => {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
    if (trail.includes(path) || done.has(path)) return;
    for (const one of sources.get(path)?.imports ?? []) visit(one.path, [...trail, path]);
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  t.same(circles, []);
  t.end();
});

t.test('folders and files stay small', (t) => {
  const tree = treeOf('');
  for (const [folder, children] of tree.folders) {
    if (!/^(src|test|native|bench|examples)\b/.test(folder)) continue;
    const most = MORE_CHILDREN[folder] ?? MOST_CHILDREN;
    t.ok(children.length <= most, `${folder}/ has ${children.length} children, at most ${most}`);
  }
  for (const { path, lines } of sources.values())
    t.ok(lines <= MOST_LINES, `${path} has ${lines} lines, at most ${MOST_LINES}`);
  const names = new Map<string, string[]>();
  for (const path of sources.keys()) names.set(basename(path), [...(names.get(basename(path)) ?? []), path]);
  for (const [name, all] of names) {
    const paths = all.filter((path) => !path.startsWith('rules/table/') && !isFace(path));
    t.ok(paths.length <= 2, `${name} is the name of at most two files: ${paths.join(', ')}`);
  }
  t.end();
});

t.test('every file says first what it is', (t) => {
  for (const { path, text } of sources.values()) t.match(text, /^(#!.*\n)?\/\/ \S/, path);
  t.end();
});

t.test('only the command line prints, reads arguments and exits; only one file loads the addon', (t) => {
  for (const { path, text } of sources.values()) {
    if (path.startsWith('cli/')) continue;
    t.notMatch(text, /console\.|process\.(stdout|stderr|argv|exit|on)\b/, path);
    if (path === 'scan/measure/native.ts') continue;
    t.notMatch(text, /\.node'/, path);
    // What it loads late are packages, and no addon.
    if (path !== 'runtime/loading.ts') t.notMatch(text, /createRequire/, path);
  }
  t.end();
});

t.test('one file lists folders and follows links: names are bytes', (t) => {
  for (const [path, { text }] of sources)
    if (path !== 'runtime/folder.ts')
      t.notMatch(
        text,
        /\b(readdir|opendir|realpath|readlink)(Sync)?\b|\bglobSync\b/,
        `${path}: runtime/folder.ts has these, and refuses names that are not UTF-8`,
      );
  t.end();
});

t.test('the command line imports what it needs, and never the whole library', (t) => {
  for (const { path, imports } of sources.values())
    if (path.startsWith('cli/'))
      t.notOk(
        imports.some((one) => isFace(one.path)),
        path,
      );
  t.end();
});

t.test('what is exported is used', (t) => {
  for (const { path, exports } of sources.values()) {
    if (isFace(path) || path.startsWith('diff/page/client/')) continue;
    for (const name of exports) t.ok(isUsed(path, name), `${path} exports ${name}, which nobody uses`);
  }
  t.end();
});

/** By another file of src/, or by a test. */
function isUsed(path: string, name: string): boolean {
  const word = new RegExp(`\\b${name}\\b`);
  return allFiles.some((other) => other.path !== path && other.named.has(path) && word.test(other.text));
}

t.test('every rule is reported somewhere', (t) => {
  const code = [...sources.values()]
    .filter(({ path }) => !path.startsWith('rules/'))
    .map(({ text }) => text)
    .join('\n');
  for (const rule of RULES.keys()) t.ok(code.includes(`'${rule}'`), rule);
  t.end();
});

t.test('the rooms of the architecture page are these', (t) => {
  for (const room of new Set([...sources.keys()].map((path) => path.split('/')[0]!)))
    t.ok(existsSync(join(packageRoot, 'src', room)), room);
  t.end();
});
