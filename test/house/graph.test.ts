// What `import 'steelyard'` and `steelyard scan` load before they do anything: every file and package costs whoever waits.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { packageRoot, sources } from './house.ts';

interface Graph {
  readonly files: ReadonlySet<string>;
  readonly packages: ReadonlySet<string>;
}

/** Everything that is loaded with an entry; not what it loads late. */
function graphOf(entry: string): Graph {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string): void => {
    if (files.has(path)) return;
    files.add(path);
    const source = sources.get(path)!;
    for (const name of source.packages) packages.add(name);
    for (const one of source.imports) if (!one.typesOnly && !one.late) visit(one.path);
  };
  visit(entry);
  return { files, packages };
}

/** Rooms that only their own commands need. */
const WINGS = /^(source|pull|canary|serving|gate|fleet)\//;
/** What only some scans need, or what they need once workers read. */
const LATE =
  /^(diff|proof|report|rules\/table|baseline\/compare\/compare|scan\/(identify\/identify|inspect|profile))\b/;
/** Packages of 10 to 60 ms each. */
const HEAVY = ['zod', 'yaml', 're2js', 'ml-matrix', 'undici', '@sigstore/verify', '@noble/ciphers'];

t.test('the library loads no package, and no wing', (t) => {
  const { files, packages } = graphOf('index.ts');
  t.same([...packages], []);
  t.same(
    [...files].filter((path) => WINGS.test(path)),
    [],
  );
  t.end();
});

t.test('the command line loads commander, what a scan needs, and no wing', (t) => {
  const { files, packages } = graphOf('cli/main.ts');
  t.same([...packages], ['commander']);
  t.same(
    [...files].filter((path) => WINGS.test(path) || LATE.test(path)),
    [],
  );
  t.ok(files.size <= 92, `${files.size} files`);
  t.end();
});

t.test('signing and verifying with a key in a file load nothing of keys that are elsewhere', (t) => {
  for (const command of ['sign', 'verify', 'attest']) {
    const { files, packages } = graphOf(`cli/prove/${command}-command.ts`);
    t.same(
      [...files].filter((path) => path.startsWith('proof/keys/')),
      [],
      command,
    );
    t.same(
      [...packages].filter((name) => name !== 'commander'),
      [],
      command,
    );
  }
  t.end();
});

t.test('no heavy package is in memory after the import, nor after a scan without need of it', (t) => {
  const url = pathToFileURL(join(packageRoot, 'out', 'src', 'index.js')).href;
  const real = join(packageRoot, 'fixtures', 'real', 'reference-f16.safetensors');
  const code = `
    import { createRequire } from 'node:module';
    const loaded = () => Object.keys(createRequire(import.meta.url).cache).join('\\n');
    const { scan } = await import(${JSON.stringify(url)});
    const first = loaded();
    await scan(${JSON.stringify(real)});
    console.log(JSON.stringify([first, loaded()]));`;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  for (const text of JSON.parse(printed) as string[])
    for (const name of HEAVY) t.notOk(text.includes(`node_modules/${name}/`), name);
  t.end();
});
