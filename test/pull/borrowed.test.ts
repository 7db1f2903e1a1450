// Sources where commands take paths: the same output as from a folder, a temporary folder that is gone afterwards, and exit codes.
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../kit/root.ts';
import { steelyard } from '../kit/steelyard.ts';
import { hubServer, sendRange } from '../source/hub-server.ts';

t.setTimeout(600_000);

const LORA = join(packageRoot, 'fixtures', 'real', 'tiny-lora');
const FILES = new Map(readdirSync(LORA).map((path) => [path, readFileSync(join(LORA, path))] as const));

t.test('scan, profile, diff and bom create take sources', async (t) => {
  const folder = t.testdir({ tmp: {} });
  const tmp = join(folder, 'tmp');
  const hub = await hubServer({ files: FILES });
  t.teardown(hub.close);
  const env = { HF_ENDPOINT: hub.url, TMPDIR: tmp };
  const uri = 'hf://acme/tiny';
  const both = async (args: (model: string) => string[]) => {
    const [here, there] = [await steelyard(args(LORA)), await steelyard(args(uri), env)];
    t.equal(there.code, here.code, there.stderr);
    t.equal(there.stdout, here.stdout);
    t.same(readdirSync(tmp), [], 'nothing is left');
  };
  await both((model) => ['scan', '--format', 'json', model]);
  await both((model) => ['profile', model]);
  await both((model) => ['diff', '--format', 'json', LORA, model]);
  const bom = join(folder, 'tiny.mbom.yaml');
  t.equal((await steelyard(['bom', 'create', uri, '-o', bom], env)).code, 0);
  t.match(readFileSync(bom, 'utf8'), /name: "tiny"/);
  const signing = await steelyard(['scan', uri, '--sign', join(folder, 'x.sig'), '--key', bom], env);
  t.equal(signing.code, 2);
  t.match(signing.stderr, /pull it first/);
});

t.test('bytes that are not what the source states are not looked at', async (t) => {
  const folder = t.testdir({});
  mkdirSync(join(folder, 'tmp'));
  const hub = await hubServer({
    files: FILES,
    fault: (request, response, body) => {
      if (body === null || !/safetensors/.test(request.url!) || /resolve/.test(request.url!)) return false;
      const flipped = Buffer.from(body);
      flipped[flipped.length - 1]! ^= 1;
      sendRange(request, response, flipped);
      return true;
    },
  });
  t.teardown(hub.close);
  const env = { HF_ENDPOINT: hub.url, TMPDIR: join(folder, 'tmp') };
  const bad = await steelyard(['scan', 'hf://acme/tiny'], env);
  t.equal(bad.code, 1);
  t.match(bad.stderr, /DIGEST_MISMATCH/);
  t.equal((await steelyard(['scan', 'hf://acme/none'], env)).code, 2);
  t.same(readdirSync(join(folder, 'tmp')), []);
});
