// A pull that is killed at a random moment, again and again, and goes on: the tree in the end is the one that was listed. 100 moments
// with STEELYARD_RUNS=100.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../kit/root.ts';
import { steelyard } from '../kit/steelyard.ts';
import { hubServer, sendRange } from '../source/hub-server.ts';

t.setTimeout(900_000);

const MOMENTS = Math.min(100, Number(process.env.STEELYARD_RUNS ?? 8));

/** Some files of some size, so that there is something to be in the middle of. */
function model(): Map<string, Buffer> {
  const lora = readFileSync(join(packageRoot, 'fixtures', 'real', 'tiny-lora', 'adapter_model.safetensors'));
  const size = 70 * 2 ** 20;
  const json = Buffer.from(
    JSON.stringify({ 'a.weight': { dtype: 'U8', shape: [size], data_offsets: [0, size] } }),
  );
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(json.length));
  const body = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4096) body.writeUInt32LE((at * 2654435761) >>> 0, at);
  const files = new Map([['large.safetensors', Buffer.concat([head, json, body])]]);
  for (let i = 0; i < 6; i++) files.set(`part/${i}.safetensors`, lora);
  return files;
}

const treeOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.safetensors$/.test(path))
    .map(
      (path) =>
        `${path} ${createHash('sha256')
          .update(readFileSync(join(folder, path)))
          .digest('hex')}`,
    )
    .sort();

t.test('killed, and gone on', async (t) => {
  const files = model();
  const expected = [...files]
    .map(([path, body]) => `${path} ${createHash('sha256').update(body).digest('hex')}`)
    .sort();
  const folder = t.testdir({});
  let sent = 0;
  const hub = await hubServer({
    files,
    fault: (request, response, body) => {
      if (body === null || /resolve/.test(request.url!)) return false;
      sent += body.length;
      // A line slow enough to be killed on.
      setTimeout(() => sendRange(request, response, body), 20);
      return true;
    },
  });
  t.teardown(hub.close);
  const env = { HF_ENDPOINT: hub.url };
  let seed = 7;
  const random = (): number => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  let [killed, done] = [0, 0];
  for (let moment = 0; moment < MOMENTS; moment++) {
    const output = join(folder, `model-${done}`);
    const ended = await steelyard(
      ['pull', 'hf://acme/tiny', '-o', output, '--no-progress', '--connections', '2'],
      env,
      (child) => {
        setTimeout(() => child.kill('SIGKILL'), 150 + 1200 * random());
      },
    );
    if (ended.signal === 'SIGKILL') killed++;
    else t.equal(ended.code, 0, ended.stderr);
    // Whole or not at all, whenever it was killed.
    if (!existsSync(output)) continue;
    t.same(treeOf(output), expected);
    done++;
  }
  const output = join(folder, `model-${done}`);
  const last = await steelyard(['pull', 'hf://acme/tiny', '-o', output, '--no-progress'], env);
  t.equal(last.code, 0, last.stderr);
  t.same(treeOf(output), expected);
  t.notOk(readdirSync(folder).some((name) => name.endsWith('.part')));
  t.comment(`killed ${killed} times of ${MOMENTS}, ${sent} bytes offered`);
});
