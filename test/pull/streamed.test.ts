// A source that is looked at without being kept: the same report as of its folder, whatever the readers ask for, and no weights on the
// disk at any time.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { profile } from '../../src/profile.ts';
import { borrow } from '../../src/pull/borrowed.ts';
import { scanSource } from '../../src/pull/scan-source.ts';
import { renderJson } from '../../src/report/report-json.ts';
import { type ScanOptions, scan } from '../../src/scan.ts';
import { packageRoot } from '../kit/root.ts';
import { hubServer } from '../source/hub-server.ts';

t.setTimeout(600_000);

const MIB = 2 ** 20;

/** Tensors of several dtypes with bytes of no pattern, `gap` bytes that none covers, and a tail. */
function weights(size: number, gap = 0): Buffer {
  const body = Buffer.alloc(size + gap);
  for (let at = 0; at + 4 <= body.length; at += 4)
    body.writeUInt32LE(((Math.imul(at, 2654435761) >>> 3) & 0x3fff3fff) >>> 0, at);
  const half = size / 2;
  const header = {
    'a.weight': { dtype: 'BF16', shape: [half / 256, 128], data_offsets: [0, half] },
    'b.weight': { dtype: 'F32', shape: [half / 4], data_offsets: [half + gap, size + gap] },
  };
  const json = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([head, json, body]);
}

const REAL = join(packageRoot, 'fixtures', 'real');
const small = readFileSync(join(REAL, 'tiny-lora', 'adapter_model.safetensors'));
const large = weights(40 * MIB);
/** Behind its head a wrong length: kept whole, for its header says nothing. */
const broken = Buffer.concat([Buffer.from([255, 255, 255, 255, 255, 0, 0, 0]), large.subarray(8, 3 * MIB)]);
async function lent(files: ReadonlyMap<string, Buffer>, options: ScanOptions = {}) {
  const folder = t.testdir({});
  const hub = await hubServer({ files });
  const tmp = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  try {
    const wanted = { rows: false, sketch: false, forensics: false, ...options };
    const model = await borrow('hf://acme/tiny', { env: { HF_ENDPOINT: hub.url }, threads: 2, wanted });
    const blocks = readdirSync(model.folder, { recursive: true, encoding: 'utf8' })
      .map((path) => statSync(join(model.folder, path)))
      .reduce((sum, stat) => sum + (stat.isFile() ? 512 * stat.blocks : 0), 0);
    const streamed = renderJson(await scan(model.folder, { ...options, followed: model.followed }));
    model.end();
    const kept = join(folder, 'kept');
    for (const [path, body] of files) {
      mkdirSync(join(kept, path, '..'), { recursive: true });
      writeFileSync(join(kept, path), body);
    }
    const plain = renderJson(await scan(kept, options));
    return { streamed, plain, blocks };
  } finally {
    if (tmp === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = tmp;
    await hub.close();
  }
}

t.test('the report is that of the folder, and the weights were never on the disk', async (t) => {
  const files = new Map([
    ['a/large.safetensors', large],
    ['b/gap.safetensors', weights(6 * MIB, 2 * MIB)],
    ['small.safetensors', small],
    ['broken.safetensors', broken],
    ['config.json', Buffer.from('{"architectures":["X"]}')],
  ]);
  const { streamed, plain, blocks } = await lent(files);
  t.equal(streamed, plain);
  t.ok(blocks < 10 * MIB, `${blocks} bytes on the disk of ${large.length + 12 * MIB}`);
});

t.test('rows and sketches, and traces of payloads', async (t) => {
  for (const options of [{ rows: true, sketch: true }, { forensics: true }]) {
    const { streamed, plain } = await lent(new Map([['m.safetensors', weights(4 * MIB)]]), options);
    t.equal(streamed, plain, JSON.stringify(options));
  }
});

t.test('real files', async (t) => {
  const files = new Map(
    readdirSync(REAL)
      .filter((name) => /\.(gguf|safetensors)$/.test(name))
      .map((name) => [name, readFileSync(join(REAL, name))] as const),
  );
  t.ok([...files.values()].some((body) => body.length > MIB) || files.size > 3);
  const { streamed, plain } = await lent(files);
  t.equal(streamed, plain);
});

/** Ends as an archive does, whose directory stands among the weights. */
function archive(): Buffer {
  const body = weights(8 * MIB);
  const end = body.length - 22;
  body.writeUInt32LE(0x02014b50, end - 3 * MIB);
  body.write('PK\x05\x06', end, 'latin1');
  body.writeUInt32LE(0, end + 4);
  body.writeUInt16LE(1, end + 8);
  body.writeUInt16LE(1, end + 10);
  body.writeUInt32LE(3 * MIB, end + 12);
  body.writeUInt32LE(end - 3 * MIB, end + 16);
  body.writeUInt16LE(0, end + 20);
  return body;
}

t.test('what a reader asks for and was not kept is fetched after all', async (t) => {
  const unfilled = weights(8 * MIB);
  unfilled.fill(0, 2 * MIB, 4 * MIB);
  for (const [rule, body] of [
    ['file/polyglot', archive()],
    ['stat', unfilled],
  ] as const) {
    const { streamed, plain } = await lent(new Map([['m.safetensors', body]]));
    t.equal(streamed, plain);
    t.match(
      JSON.parse(plain)
        .findings.map((one: { rule: string }) => one.rule)
        .join(' '),
      rule,
    );
  }
});

t.test('for programs', async (t) => {
  const hub = await hubServer({ files: new Map([['m.safetensors', weights(4 * MIB)]]) });
  t.teardown(hub.close);
  const folder = t.testdir({ 'm.safetensors': '' });
  writeFileSync(join(folder, 'm.safetensors'), weights(4 * MIB));
  const options = { env: { HF_ENDPOINT: hub.url } };
  const baseline = await profile(folder, { sketch: true });
  for (const more of [{}, { baseline }]) {
    const report = await scanSource('hf://acme/tiny', { ...options, ...more });
    t.equal(renderJson(report), renderJson(await scan(folder, more)));
  }
  await t.rejects(scan('hf://acme/tiny'), { code: 'NOT_FOUND', message: /scanSource/ });
});
