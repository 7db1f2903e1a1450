// Headers of models that nobody fetches: 700 GB in 163 shards by a few hundred requests, and what is plainly wrong with a header.
import t from 'tap';
import { peek, renderPeek } from '../../src/pull/peek/peek.ts';
import { hubServer, listening } from '../source/hub-server.ts';

const SHARDS = 163;
const TENSORS = 551;
const ROWS = 7168;

/** A shard's header, and how long the file is: its tensors are there by their sizes alone. */
function shard(index: number): { path: string; head: Buffer; size: number } {
  const tensors: Record<string, object> = {};
  let at = 0;
  for (let i = 0; i < TENSORS; i++) {
    const size = 2 * ROWS * 532;
    tensors[`model.layers.${index}.mlp.experts.${i}.gate_proj.weight`] = {
      dtype: 'BF16',
      shape: [ROWS, 532],
      data_offsets: [at, at + size],
    };
    at += size;
  }
  const json = Buffer.from(JSON.stringify(tensors));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const head = Buffer.concat([length, json]);
  const path = `model-${String(index + 1).padStart(5, '0')}-of-${String(SHARDS).padStart(5, '0')}.safetensors`;
  return { path, head, size: head.length + at };
}

t.setTimeout(600_000);

t.test('a model of 163 shards', async (t) => {
  const shards = Array.from({ length: SHARDS }, (_, index) => shard(index));
  const weight_map = Object.fromEntries(
    shards.flatMap(({ path, head }) =>
      Object.keys(JSON.parse(head.subarray(8).toString())).map((name) => [name, path]),
    ),
  );
  const index = Buffer.from(JSON.stringify({ metadata: { total_size: 0 }, weight_map }));
  const files = new Map(shards.map(({ path, head, size }) => [path, { head, size }]));
  files.set('model.safetensors.index.json', { head: index, size: index.length });
  const oid = '0'.repeat(64);
  const commit = 'a'.repeat(40);
  let requests = 0;
  const server = await listening((request, response) => {
    requests++;
    const { pathname } = new URL(request.url!, 'http://x');
    if (pathname.includes('/revision/')) return void response.end(JSON.stringify({ sha: commit }));
    if (pathname.includes('/tree/'))
      return void response.end(
        JSON.stringify(
          [...files].map(([path, { size }]) => ({ type: 'file', path, size, oid, lfs: { oid, size } })),
        ),
      );
    const found = files.get(decodeURIComponent(pathname.split('/').at(-1)!));
    if (found === undefined) return void response.writeHead(404).end();
    if (!request.url!.startsWith('/cdn'))
      return void response.writeHead(302, { location: `/cdn${pathname}` }).end();
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range!)!;
    const [from, end] = [Number(first), Number(last) + 1];
    const body = Buffer.alloc(end - from);
    found.head.copy(body, 0, from, Math.min(end, found.head.length));
    response
      .writeHead(206, {
        'content-range': `bytes ${from}-${end - 1}/${found.size}`,
        'content-length': String(body.length),
      })
      .end(body);
  });
  t.teardown(server.close);
  const found = await peek('hf://acme/large', { env: { HF_ENDPOINT: server.url } });
  t.equal(found.tensors.length, SHARDS * TENSORS);
  t.ok(found.files.reduce((sum, { size }) => sum + size, 0) > 680e9);
  t.ok(requests <= 400, `${requests} requests`);
  t.match(
    found.findings.map(({ rule }) => rule).filter((rule) => rule !== 'shard/total-size'),
    [],
    JSON.stringify(found.findings.slice(0, 3)),
  );
  t.match(renderPeek(found, false), /NOT LOOKED AT {2}the values of the tensors/);
});

t.test('what a header alone gives away', async (t) => {
  const bad = Buffer.alloc(1000);
  bad.writeBigUInt64LE(90n * 2n ** 30n);
  bad.write('{', 8);
  const short = shard(0).head.subarray(0, 5000);
  const files = new Map([
    ['claims.safetensors', bad],
    ['cut.safetensors', Buffer.from(short)],
    ['x.bin', Buffer.from('x')],
  ]);
  const hub = await hubServer({ files });
  t.teardown(hub.close);
  const found = await peek('hf://acme/tiny', { env: { HF_ENDPOINT: hub.url } });
  t.same(
    [...new Set(found.findings.map(({ file, severity }) => `${file} ${severity}`))],
    ['claims.safetensors critical', 'cut.safetensors critical'],
  );
  t.match(found.notLookedAt.at(-1), /^1 files/);
});
