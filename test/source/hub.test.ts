// The Hub: our look-alike is judged by the official client, and a mirror that is not ours (olah) by what we pull from it.
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { pull } from '../../src/pull/pull.ts';
import { renderJson } from '../../src/report/report-json.ts';
import { scan } from '../../src/scan.ts';
import { openSource } from '../../src/source/source.ts';
import { packageRoot } from '../kit/root.ts';
import { COMMIT, hubServer, isLfs, listening, sha256 } from './hub-server.ts';

const LORA = join(packageRoot, 'fixtures', 'real', 'tiny-lora');
const FILES = new Map(
  readdirSync(LORA, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(LORA, path)).isFile())
    .map((path) => [path, readFileSync(join(LORA, path))] as const),
);

const has = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;

const hf = has('hf', 'version') || has('hf', '--help');
t.setTimeout(600_000);

t.test(
  'the official client takes our look-alike for the Hub',
  { skip: hf ? false : 'hf is not installed: pip install huggingface_hub==2.4.0' },
  async (t) => {
    const folder = t.testdir({});
    const hub = await hubServer({ files: FILES, pageSize: 1 });
    t.teardown(hub.close);
    const env = {
      ...process.env,
      HF_ENDPOINT: hub.url,
      HF_HOME: join(folder, 'hf'),
      HF_HUB_DISABLE_XET: '1',
      HF_HUB_DISABLE_TELEMETRY: '1',
      NO_PROXY: '127.0.0.1',
    };
    const child = spawn('hf', ['download', 'acme/tiny'], { env });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += data));
    const code = await new Promise((resolve) => child.once('close', resolve));
    t.equal(code, 0, said);
    const cache = join(folder, 'hf', 'hub');
    const snapshot = join(cache, 'models--acme--tiny', 'snapshots', COMMIT);
    const output = join(folder, 'model');
    const result = await pull('hf://acme/tiny', { output, env: { HF_ENDPOINT: hub.url } });
    t.equal(result.outcome, 'pass');
    // Its cache names blobs by their digests, which is one thing more to agree with.
    const seen = await scan(snapshot);
    const [match, ...others] = seen.findings;
    t.equal(match?.rule, 'file/digest-match');
    t.same(
      [seen.files, seen.tensors, others],
      [result.report!.files, result.report!.tensors, result.report!.findings],
      'and it has the same model, in its cache',
    );
    t.comment(
      existsSync(join(cache, 'blobs')) ? 'with one store of blobs for all repos' : 'with blobs in the repo',
    );
    const cached = await pull('cache://hub/acme/tiny', {
      output: join(folder, 'cached'),
      env: { HF_HOME: join(folder, 'hf') },
    });
    t.equal(cached.outcome, 'pass', JSON.stringify(cached.findings));
  },
);

const olah = has('olah-cli', '--help');
t.test(
  'a mirror that is not ours',
  { skip: olah ? false : 'olah-cli is not installed: pip install olah==0.5.4' },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'steelyard-olah-'));
    const { port, close } = await listening(() => undefined);
    await close();
    writeFileSync(join(folder, 'olah.toml'), configuration(folder, port));
    mkdirSync(join(folder, 'repos'));
    const oids = repository(join(folder, 'mirrors', 'models', 'acme', 'tiny'));
    const mirror = spawn('olah-cli', ['-c', join(folder, 'olah.toml')], { cwd: folder, stdio: 'ignore' });
    t.teardown(async () => {
      const gone = new Promise((resolve) => mirror.once('exit', resolve));
      mirror.kill();
      await gone;
      rmSync(folder, { recursive: true, force: true });
    });
    const env = { HF_ENDPOINT: `http://127.0.0.1:${port}` };
    for (let tries = 0; tries < 600; tries++) {
      if (
        await fetch(`${env.HF_ENDPOINT}/api/models/acme/tiny/revision/main`).then(
          ({ ok }) => ok,
          () => false,
        )
      )
        break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const output = join(folder, 'model');
    const result = await pull('hf://acme/tiny', { output, env });
    t.equal(result.outcome, 'pass', JSON.stringify(result.findings));
    t.equal(renderJson(result.report!), renderJson(await scan(output)));

    // One bit on the mirror, under the same name: the official client installs it.
    const flipped = Buffer.from(FILES.get('adapter_model.safetensors')!);
    flipped[flipped.length - 1]! ^= 1;
    writeFileSync(oids.get('adapter_model.safetensors')!, flipped);
    const bad = await pull('hf://acme/tiny', { output: join(folder, 'bad'), env });
    t.match(bad, {
      outcome: 'fail',
      findings: [{ rule: 'source/digest', file: 'adapter_model.safetensors' }],
    });
    t.notOk(existsSync(join(folder, 'bad')));
  },
);

const configuration = (folder: string, port: number): string => `[basic]
host = "127.0.0.1"
port = ${port}
mirrors-path = ["${folder}/mirrors"]
repos-path = "${folder}/repos"
[accessibility]
offline = true
`;

/** A repository as Git LFS leaves it; where the bytes of each weight file are. */
function repository(folder: string): Map<string, string> {
  const objects = new Map<string, string>();
  mkdirSync(folder, { recursive: true });
  const git = (...args: string[]) => {
    const done = spawnSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
    if (done.status !== 0) throw new Error(done.stderr);
  };
  git('init', '-q', '-b', 'main', '.');
  for (const [path, body] of FILES) {
    if (!isLfs(path)) {
      writeFileSync(join(folder, path), body);
      continue;
    }
    const oid = sha256(body);
    const object = join(folder, '.git', 'lfs', 'objects', oid.slice(0, 2), oid.slice(2, 4), oid);
    mkdirSync(join(object, '..'), { recursive: true });
    writeFileSync(object, body);
    objects.set(path, object);
    writeFileSync(
      join(folder, path),
      `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${body.length}\n`,
    );
  }
  git('add', '-A');
  git('commit', '-qm', 'x');
  return objects;
}

t.test('gated, and not there', async (t) => {
  const hub = await hubServer({ files: FILES, token: 'hf_right' });
  t.teardown(hub.close);
  const ask = (env: Record<string, string>) =>
    openSource('hf://acme/tiny', { env: { HF_ENDPOINT: hub.url, HOME: t.testdirName, ...env } });
  await t.rejects(ask({}), { code: 'UNAUTHORIZED', message: /HF_TOKEN/ });
  await t.rejects(ask({ HF_TOKEN: 'hf_wrong' }), { code: 'UNAUTHORIZED' });
  const folder = t.testdir({ token: 'hf_right\n' });
  const source = await ask({ HF_TOKEN_PATH: join(folder, 'token') });
  t.equal(source.pin.value, COMMIT);
  await source.close();
  await t.rejects(openSource('hf://acme/none', { env: { HF_ENDPOINT: hub.url, HF_TOKEN: 'hf_right' } }), {
    code: 'NOT_FOUND',
  });
  await t.rejects(openSource('hf://acme/tiny', { env: { HF_ENDPOINT: 'http://hub.example' } }), {
    code: 'USAGE',
  });
  const folderOnly = await openSource('hf://acme/tiny/adapter_config.json', {
    env: { HF_ENDPOINT: hub.url, HF_TOKEN: 'hf_right' },
  });
  t.same(
    folderOnly.files.map(({ path }) => path),
    ['adapter_config.json'],
  );
  await folderOnly.close();
});
