// Installed packages against bills of materials: by rules in small, and as real generators write them.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Test, test } from 'tap';
import { readDriftLine } from '../../src/serving/drift/drift.ts';
import { packageOf } from '../../src/serving/packages/package-url.ts';
import {
  comparePackages,
  type Ecosystem,
  packageName,
  READERS,
  readSbom,
} from '../../src/serving/packages/packages.ts';
import { steelyard } from '../kit/steelyard.ts';
import { release } from './release.ts';

const bytes = (value: unknown): Buffer =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const cycloneDx = (...purls: string[]): object => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  components: purls.map((purl) => ({ type: 'library', name: 'x', purl })),
});

function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'steelyard-packages-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('package URLs', (t) => {
  const cases: readonly (readonly [string, string | null])[] = [
    ['pkg:pypi/PyYAML@6.0', 'pypi pyyaml 6.0'],
    ['pkg:pypi/ruamel_yaml.clib@0.2', 'pypi ruamel-yaml-clib 0.2'],
    ['pkg:npm/%40scope/name@1.0.0', 'npm @scope/name 1.0.0'],
    ['pkg:npm/name@1.0.0?vcs_url=x#sub/path', 'npm name 1.0.0'],
    ['pkg:deb/debian/zlib1g@1%3A1.2.13?arch=amd64', 'deb zlib1g 1:1.2.13'],
    ['pkg:deb/debian/zlib1g@1.2.13?arch=amd64&epoch=1', 'deb zlib1g 1:1.2.13'],
    ['pkg:deb/debian/zlib@1.2.13?arch=source', null],
    ['pkg:deb/ubuntu/libc%2B%2B@1', 'deb libc++ 1'],
    ['pkg:apk/alpine/musl@1.2.4-r2', 'apk musl 1.2.4-r2'],
    ['pkg:golang/x/y@1', null],
    ['pkg:pypi/name', null],
    ['pkg:pypi/%zz@1', null],
    ['nonsense', null],
  ];
  for (const [url, expected] of cases) {
    const found = packageOf(url);
    t.equal(found === null ? null : `${found.ecosystem} ${found.name} ${found.version}`, expected, url);
  }
  t.equal(packageName('pkg:pypi/Py_Yaml'), 'pkg:pypi/py-yaml');
  t.equal(packageName('pkg:golang/x'), null);
  t.end();
});

const changed = (declared: object, ecosystem: Ecosystem, live: unknown, allow: string[] = []): unknown => {
  const allowances = allow.map((one) => ({ package: one, until: '2026-12-01' }));
  const inventory = { ecosystem, packages: READERS[ecosystem](bytes(live), 'live') };
  const { changes, exitCode } = comparePackages(
    readSbom(bytes(declared), 'sbom'),
    [inventory],
    allowances,
    '2026-12-01',
  );
  return [
    exitCode,
    ...changes.map((one) => `${one.change} ${one.package} ${one.declared} ${one.found} ${one.allowed}`),
  ];
};
const pip = (...packages: [string, string][]): object => ({
  version: '1',
  installed: packages.map(([name, version]) => ({ metadata: { name, version } })),
});

test('added, removed, changed, allowed until a day', (t) => {
  const sbom = cycloneDx('pkg:pypi/a@1', 'pkg:pypi/b@1', 'pkg:pypi/c@1', 'pkg:npm/z@1');
  t.same(changed(sbom, 'pypi', pip(['A', '1'], ['b', '1'], ['c', '1'])), [0]);
  t.same(changed(sbom, 'pypi', pip(['a', '1'], ['b', '2'], ['d', '1'])), [
    1,
    'changed pkg:pypi/b 1 2 null',
    'removed pkg:pypi/c 1  null',
    'added pkg:pypi/d  1 null',
  ]);
  const allowed = ['pkg:pypi/b', 'pkg:pypi/c', 'pkg:pypi/d'];
  t.match(changed(sbom, 'pypi', pip(['a', '1'], ['b', '2'], ['d', '1']), allowed), [0, / until 2026-12-01$/]);
  t.match(changed(sbom, 'pypi', pip(['a', '1'], ['b', '2'], ['d', '1']), allowed.slice(1)), [1]);
  const { exitCode } = comparePackages(
    readSbom(bytes(cycloneDx('pkg:pypi/a@1')), 's'),
    [{ ecosystem: 'pypi', packages: [] }],
    [{ package: 'pkg:pypi/a', until: '2026-11-30' }],
    '2026-12-01',
  );
  t.equal(exitCode, 1, 'an allowance ends');
  t.same(changed(sbom, 'npm', { name: 'p', dependencies: { z: { version: '1' } } }), [0]);
  t.end();
});

test('what compares nothing is no verdict', (t) => {
  const inventory = { ecosystem: 'deb' as const, packages: [] };
  t.equal(comparePackages(readSbom(bytes(cycloneDx('pkg:npm/z@1')), 's'), [inventory], [], '').exitCode, 2);
  t.equal(comparePackages(readSbom(bytes(cycloneDx('pkg:npm/z@1')), 's'), [], [], '').exitCode, 2);
  const { notCompared } = comparePackages(
    readSbom(bytes(cycloneDx('pkg:npm/z@1', 'pkg:deb/debian/a@1', 'pkg:golang/x@1')), 's'),
    [inventory],
    [],
    '',
  );
  t.equal(notCompared, 2);
  t.end();
});

test('components in components, and SPDX', (t) => {
  const nested = {
    bomFormat: 'CycloneDX',
    components: [{ name: 'image', components: [{ purl: 'pkg:apk/a@1' }] }],
  };
  t.same(readSbom(bytes(nested), 's'), {
    packages: [{ ecosystem: 'apk', name: 'a', version: '1' }],
    others: 1,
  });
  const spdx = (more: object): object => ({
    spdxVersion: 'SPDX-2.3',
    packages: ['a', 'b'].map((name) => ({
      SPDXID: name,
      externalRefs: [
        { referenceType: 'cpe23Type', referenceLocator: 'x' },
        { referenceType: 'purl', referenceLocator: `pkg:npm/${name}@1` },
      ],
    })),
    ...more,
  });
  const count = (more: object): number => readSbom(bytes(spdx(more)), 's').packages.length;
  t.equal(count({}), 2);
  t.equal(count({ documentDescribes: ['a'] }), 1, 'the project itself');
  const about = (id: string) => ({
    spdxElementId: 'SPDXRef-DOCUMENT',
    relationshipType: 'DESCRIBES',
    relatedSpdxElement: id,
  });
  t.equal(count({ relationships: [about('a')] }), 1);
  t.equal(count({ relationships: [about('a'), about('b')] }), 2, 'a list of packages');
  t.end();
});

const APK = 'C:Q1x\nP:musl\nV:1.2.4-r2\nA:x86_64\nF:lib\nR:ld.so\n\nP:busybox\nV:1.36.1-r5\n';
const DPKG = [
  'Package: zlib1g\nStatus: install ok installed\nVersion: 1:1.2.13\nDescription: x\n Package: evil\n .\n',
  'Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n',
  'Package: distroless\nVersion: 2\n',
].join('\n');

test('what package managers keep', (t) => {
  const names = (ecosystem: Ecosystem, text: unknown): string[] =>
    READERS[ecosystem](bytes(text), 'f').map(({ name, version }) => `${name} ${version}`);
  t.same(names('apk', APK), ['musl 1.2.4-r2', 'busybox 1.36.1-r5']);
  t.same(names('deb', DPKG), ['zlib1g 1:1.2.13', 'distroless 2']);
  const b = { version: '1', dependencies: { c: { version: '3' } } };
  const tree = { a: { version: '1', dependencies: { b } }, b, missing: { missing: true }, optional: {} };
  t.same(names('npm', { name: 'p', dependencies: tree }).sort(), ['a 1', 'b 1', 'c 3']);
  for (const [ecosystem, text] of [
    ['pypi', '{}'],
    ['pypi', '{"installed":[{}]}'],
    ['pypi', '{"installed":[],"installed":[]}'],
    ['deb', 'Package: a\n'],
    ['apk', 'V:1\n'],
    ['npm', '[]'],
    ['npm', '{"dependencies":{"a":{"version":1}}}'],
    ['npm', 'x'],
  ] as const)
    t.throws(
      () => names(ecosystem, text),
      { code: 'INVALID_DOCUMENT', message: /^f:1:/ },
      `${ecosystem} ${text}`,
    );
  for (const text of ['{}', '[]', '{"spdxVersion":"SPDX-3.0"}', 'x'])
    t.throws(() => readSbom(bytes(text), 's'), { code: 'INVALID_DOCUMENT' }, text);
  t.end();
});

test('no text breaks a reader', (t) => {
  const seeds = [JSON.stringify(cycloneDx('pkg:pypi/a@1')), JSON.stringify(pip(['a', '1'])), APK, DPKG];
  const edit = fc.tuple(
    fc.nat(400),
    fc.nat(20),
    fc.constantFrom('', '"', '{', '[', ':', '\n', '\u0000', 'P:', '@', '%'),
  );
  const text = fc
    .tuple(fc.constantFrom(...seeds), fc.array(edit, { maxLength: 4 }))
    .map(([seed, edits]) =>
      edits.reduce((one, [at, gone, put]) => one.slice(0, at) + put + one.slice(at + gone), seed),
    );
  fc.assert(
    fc.property(text, (one) =>
      [
        (b: Buffer) => readSbom(b, 's'),
        ...Object.values(READERS).map((read) => (b: Buffer) => read(b, 'f')),
      ].every((read) => {
        try {
          read(Buffer.from(one));
          return true;
        } catch (error) {
          return (error as { code?: string }).code === 'INVALID_DOCUMENT';
        }
      }),
    ),
    { numRuns: Number(process.env.STEELYARD_FUZZ_RUNS ?? 10_000) },
  );
  t.end();
});

/** What the command says about an SBOM and a list. */
async function judged(t: Test, sbom: string, ...more: string[]) {
  const { code, stdout, stderr } = await steelyard([
    'drift',
    'packages',
    '--sbom',
    sbom,
    ...more,
    '--format',
    'json',
  ]);
  t.equal(stderr, '');
  const record = readDriftLine(stdout.trim(), 'stdout');
  if (record.kind !== 'packages') throw new Error(record.kind);
  return { code, ...record };
}

test('npm agrees about its own SBOMs, and a package that is put in is seen', async (t) => {
  const folder = folderOf(t);
  const put = (path: string, value: object): void => {
    mkdirSync(join(folder, path), { recursive: true });
    writeFileSync(join(folder, path, 'package.json'), JSON.stringify(value));
  };
  put('.', { name: 'project', version: '1.0.0', dependencies: { a: '1', '@s/b': '2' } });
  put('node_modules/a', { name: 'a', version: '1.0.0', dependencies: { c: '3' } });
  put('node_modules/@s/b', { name: '@s/b', version: '2.0.0' });
  put('node_modules/c', { name: 'c', version: '3.0.0' });
  const npm = (...args: string[]): Buffer => spawnSync('npm', args, { cwd: folder }).stdout;
  const at = (name: string): string => join(folder, name);
  for (const format of ['cyclonedx', 'spdx'])
    writeFileSync(at(`${format}.json`), npm('sbom', '--sbom-format', format));
  writeFileSync(at('ls.json'), npm('ls', '--all', '--json'));
  for (const format of ['cyclonedx', 'spdx']) {
    const same = await judged(t, at(`${format}.json`), '--npm', at('ls.json'));
    t.match(same, { code: 0, compared: [{ ecosystem: 'npm', declared: 3, found: 3 }], changes: [] }, format);
  }
  put('node_modules/evil', { name: 'evil', version: '6.6.6' });
  put('node_modules/c', { name: 'c', version: '3.0.1' });
  writeFileSync(at('ls.json'), npm('ls', '--all', '--json'));
  const { code, changes } = await judged(t, at('spdx.json'), '--npm', at('ls.json'));
  t.equal(code, 1);
  t.match(changes, [
    { package: 'pkg:npm/c', change: 'changed', declared: ['3.0.0'], found: ['3.0.1'] },
    { package: 'pkg:npm/evil', change: 'added' },
  ]);
});

const PYTHON = process.env.STEELYARD_PYTHON ?? 'python3';
const has = (module: string): boolean => spawnSync(PYTHON, ['-c', `import ${module}`]).status === 0;
const skip = (module: string, name: string): string | false =>
  has(module) ? false : `NOT RUN: no ${name} here (pip install ${name}, interpreter in STEELYARD_PYTHON)`;

test('pip agrees with cyclonedx-py', { skip: skip('cyclonedx_py', 'cyclonedx-bom') }, async (t) => {
  const at = (name: string): string => join(folder, name);
  const folder = folderOf(t);
  execFileSync(PYTHON, ['-m', 'cyclonedx_py', 'environment', PYTHON, '-o', at('s.json')], {
    stdio: 'ignore',
  });
  // pip colours its JSON for any FORCE_COLOR, also for the 0 that the test runner sets.
  const { FORCE_COLOR: _, ...env } = process.env;
  const inspect = ['-m', 'pip', 'inspect', '--local'];
  writeFileSync(at('pip.json'), execFileSync(PYTHON, inspect, { maxBuffer: 1 << 28, env }));
  const { code, changes, compared } = await judged(t, at('s.json'), '--pip', at('pip.json'));
  t.same([code, changes], [0, []]);
  t.ok(compared[0]!.declared > 5);
});

test('dpkg agrees with debsbom', { skip: skip('debsbom', 'debsbom') }, async (t) => {
  const folder = folderOf(t);
  const out = join(folder, 's');
  execFileSync(PYTHON, ['-m', 'debsbom.cli', 'generate', '-t', 'cdx', '-o', out], { stdio: 'ignore' });
  const { code, changes, compared } = await judged(t, `${out}.cdx.json`, '--dpkg');
  t.same([code, changes], [0, []]);
  t.ok(compared[0]!.declared > 50);
});

test('the command: signatures, folders, standard input, what was not compared', async (t) => {
  const { folder, mbom, publicKey } = await release(t);
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('s.json'), bytes(cycloneDx('pkg:deb/debian/a@1', 'pkg:npm/z@1')));
  mkdirSync(at('status.d'));
  writeFileSync(at('status.d/a'), 'Package: a\nVersion: 1');
  writeFileSync(at('status.d/a.md5sums'), 'x');
  const run = (...more: string[]) => steelyard(['drift', 'packages', '--sbom', at('s.json'), ...more]);
  const fine = await run('--dpkg', at('status.d'), '--history', at('h.jsonl'));
  t.equal(fine.code, 0, fine.stderr);
  t.match(
    fine.stdout,
    /not compared: 1 entries of the SBOM\nSBOM: nobody was asked who wrote it\nNO DRIFT {3}exit 0/,
  );
  t.match(readDriftLine(readFileSync(at('h.jsonl'), 'utf8').trim(), 'h'), { kind: 'packages', exitCode: 0 });
  writeFileSync(at('status.d/b'), 'Package: b\u001b[31m\nVersion: 1\n');
  const added = await run('--dpkg', at('status.d'));
  t.equal(added.code, 1);
  t.match(
    added.stdout,
    /^added {5}pkg:deb\/b\\u\{1b\}\[31m: declared none, installed 1$/m,
    'no terminal obeys a name',
  );
  t.equal((await run('--dpkg', at('status.d'), '--allow', 'pkg:deb/b\u001b[31m=2999-01-01')).code, 0);
  const blind = await run('--apk', at('status.d'));
  t.equal(blind.code, 2);
  t.match((await run()).stderr, /say what is installed/);
  t.match((await run('--pip', '-', '--npm', '-')).stderr, /only one list/);
  t.match((await run('--dpkg', at('status.d'), '--allow', 'pkg:deb/b')).stderr, /last day/);
  const unsigned = await run('--dpkg', at('status.d'), '--signature', at('none'), '--public-key', publicKey);
  t.equal(unsigned.code, 1);
  t.match(unsigned.stdout, /^REFUSED {2}UNSIGNED/m);
  const foreign = ['--signature', `${mbom}.sigstore.json`, '--public-key', publicKey];
  t.match((await run('--dpkg', at('status.d'), ...foreign)).stdout, /^REFUSED {2}BAD_SIGNATURE/m);
});
