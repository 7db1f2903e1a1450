// `steelyard demo`: what it prints is run as printed.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { patience } from '../kit/patience.ts';
import { MAIN, steelyard } from '../kit/steelyard.ts';

t.test('every command that the demo prints ends as it says', async (t) => {
  const folder = t.testdir({});
  const { stdout, code, stderr } = await steelyard(['demo', join(folder, 'it')]);
  t.equal(code, 0, stderr);
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'steelyard'), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  chmodSync(join(bin, 'steelyard'), 0o755);
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  const commands = stdout.split('\n').filter((line) => line.startsWith('steelyard '));
  t.ok(commands.length >= 8);
  for (const command of commands) {
    const options = { cwd: join(folder, 'it'), env, encoding: 'utf8', timeout: patience(60_000) } as const;
    const ended = spawnSync('sh', ['-c', command], options);
    t.equal(
      ended.status,
      Number(/exit (\d)/.exec(command)?.[1] ?? 0),
      `${command}\n${ended.stdout}${ended.stderr}`,
    );
  }
});

t.test(
  'the same models each time, a key that only its owner reads, and nothing is written over',
  async (t) => {
    const folder = t.testdir({});
    for (const name of ['one', 'other']) await steelyard(['demo', join(folder, name)]);
    for (const file of ['llama', 'suspect'].map((name) => join(name, 'model.safetensors')))
      t.ok(readFileSync(join(folder, 'one', file)).equals(readFileSync(join(folder, 'other', file))), file);
    t.equal(statSync(join(folder, 'one', 'key.pem')).mode & 0o777, 0o600);
    const again = await steelyard(['demo', join(folder, 'one')]);
    t.equal(again.code, 2);
    t.match(again.stderr, /is there already/);
    const nowhere = await steelyard(['demo', join(folder, 'one', 'key.pem', 'x')]);
    t.match([nowhere.code, nowhere.stderr], [2, /cannot write .*ENOTDIR/]);
    const odd = await steelyard(['demo', join(folder, "it's $(touch x)")]);
    t.match(odd.stdout, /^cd '.*it'\\''s \$\(touch x\)'$/m, 'what is pasted runs nothing');
  },
);

t.test('doctor says what is there', async (t) => {
  const { stdout, code, stderr } = await steelyard(['doctor']);
  t.equal(code, 0, stderr);
  t.match(stdout, /^kernels {4}.*\bportable$/m);
  t.match(stdout, /^dtypes {5}\d+: .*\bBF16\b/m);
  t.match(stdout, /^ {2}pkcs11js {28}/m);
});
