// Names as bytes: what is not UTF-8 is an error wherever a folder is listed or a link followed, and hides behind no twin that is called
// like what Node makes of it.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { mbomsBelow } from '../../src/gate/incident/walk.ts';
import { readEvidenceFolder } from '../../src/gate/input/folder.ts';
import { scan } from '../../src/index.ts';
import { holdsExactly } from '../../src/pull/quarantine/quarantine.ts';
import { entriesOf, filesBelow, linkTarget, realPath } from '../../src/runtime/folder.ts';
import { openSource } from '../../src/source/source.ts';
import { packageRoot } from '../kit/root.ts';
import { steelyard } from '../kit/steelyard.ts';

const WEIGHTS = readFileSync(join(packageRoot, 'fixtures', 'real', 'reference-f16.safetensors'));
const root = mkdtempSync(join(tmpdir(), 'steelyard-names-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));

const odd = (...parts: (string | number)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part))));
const UTF8 = { code: 'IO', message: /not UTF-8/ };
let made = 0;
/** A folder with a file of a good name, `\ufffd` and `\xff`: a twin of what is never looked at. */
function twins(ending: string, within = ''): string {
  const top = join(root, String(made++));
  const folder = join(top, within);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `a\ufffd${ending}`), WEIGHTS);
  writeFileSync(odd(folder, '/a', 0xff, ending), 'os.system()');
  return top;
}

t.test('who lists', async (t) => {
  const folder = twins('.safetensors');
  t.throws(() => entriesOf(folder), UTF8);
  t.throws(() => filesBelow(twins('.safetensors', 'b/c')), UTF8);
  const found: unknown[] = [];
  t.same(
    entriesOf(folder, ({ file }) => found.push(file)).map(({ name }) => name),
    ['a\ufffd.safetensors'],
  );
  t.same(found, [join(folder, 'a\\xff.safetensors')], 'and is told which');
  t.throws(() => holdsExactly(folder, [{ path: 'a\ufffd.safetensors', size: WEIGHTS.length }]), UTF8);
  t.throws(() => [...mbomsBelow(twins('.mbom.yaml', 'r'))], UTF8);
  t.throws(() => readEvidenceFolder(twins('.json'), 'evidence'), UTF8);

  const home = join(root, 'home');
  mkdirSync(join(home, '.lmstudio/models/o'), { recursive: true });
  symlinkSync(twins('.gguf'), join(home, '.lmstudio/models/o/m'));
  const env = { HOME: home, HF_HUB_CACHE: join(home, 'hub') };
  await t.rejects(openSource('cache://lmstudio/o/m', { env } as never), UTF8, 'LM Studio');
  const commit = 'a'.repeat(40);
  mkdirSync(join(home, 'hub/models--o--m/snapshots'), { recursive: true });
  symlinkSync(twins('.gguf'), join(home, 'hub/models--o--m/snapshots', commit));
  await t.rejects(openSource(`cache://hub/o/m@${commit}`, { env } as never), UTF8, "the Hub's cache");
});

t.test('who follows a link', async (t) => {
  const folder = twins('.bin');
  const link = join(folder, 'model.safetensors');
  symlinkSync(odd('a', 0xff, '.bin'), link);
  t.throws(() => realPath(link), UTF8);
  t.throws(() => linkTarget(link), UTF8);
  rmSync(odd(folder, '/a', 0xff, '.bin'));
  writeFileSync(odd(folder, '/', 0xfe, '.bin'), WEIGHTS);
  rmSync(link);
  symlinkSync(odd(0xfe, '.bin'), link);
  for (const followSymlinks of ['always', undefined] as const) {
    const { errors, verdict } = await scan(folder, followSymlinks === undefined ? {} : { followSymlinks });
    t.same(errors.map(({ file }) => file).sort(), ['\\xfe.bin', 'model.safetensors']);
    t.equal(verdict.outcome, 'error');
  }
});

t.test('who is told a path, or works in a folder, with such a name', async (t) => {
  const folder = twins('.safetensors');
  mkdirSync(join(folder, 'n\ufffd'));
  writeFileSync(join(folder, 'n\ufffd', 'model.safetensors'), WEIGHTS);
  mkdirSync(odd(folder, '/n', 0xff));
  writeFileSync(odd(folder, '/n', 0xff, '/model.safetensors'), 'a program');
  // A shell hands over bytes: Node has made U+FFFD of them before we see them.
  for (const args of [
    ['scan', join(folder, 'a\ufffd.safetensors')],
    ['verify', '--signature', 'x\ufffd.sig', '--public-key', 'k.pem', folder],
    ['bom', 'export', 'm\ufffd.mbom.yaml'],
  ]) {
    const { code, stderr } = await steelyard(args);
    t.same([code, /not UTF-8/.test(stderr)], [2, true], args.join(' '));
  }
  const shell = `cd "$(printf '${folder}/n\\377')" && exec "$NODE" "$MAIN" scan model.safetensors`;
  const { spawnSync } = await import('node:child_process');
  const ended = spawnSync('sh', ['-c', shell], {
    env: { ...process.env, NODE: process.execPath, MAIN: join(packageRoot, 'out/src/cli/main.js') },
    encoding: 'utf8',
  });
  t.same([ended.status, /not UTF-8/.test(ended.stderr)], [2, true], 'the folder that we work in');
});
