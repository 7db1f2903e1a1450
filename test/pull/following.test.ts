// The native pass behind bytes that are still coming: records equal to those of an ordinary measurement, bit for bit, whatever the
// arrival; and a bad header ends the transfer.
import { closeSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { pull } from '../../src/pull/pull.ts';
import { Ring } from '../../src/pull/quarantine/ring.ts';
import { renderJson } from '../../src/report/report-json.ts';
import { inTurns } from '../../src/runtime/turn.ts';
import { detectFormat, readLayout } from '../../src/scan/format/format.ts';
import { native } from '../../src/scan/measure/native.ts';
import { planRanges, wantedOf } from '../../src/scan/measure/plan.ts';
import { MeasurePool } from '../../src/scan/measure/thread/pool.ts';
import { ModelFile } from '../../src/scan/model/file.ts';
import { scan } from '../../src/scan.ts';
import { packageRoot } from '../kit/root.ts';
import { hubServer, sendRange } from '../source/hub-server.ts';

const REAL = join(packageRoot, 'fixtures', 'real');
const WEIGHTS = readdirSync(REAL, { recursive: true, encoding: 'utf8' }).filter((path) =>
  /\.(safetensors|gguf)$/.test(path),
);
const wanted = wantedOf({ rows: true, sketch: true, forensics: true });

async function rangesOf(absolute: string): Promise<Float64Array> {
  const file = ModelFile.open({ path: absolute, absolute });
  try {
    const header = await inTurns(readLayout(detectFormat(absolute, file.head(4))!, file));
    const layout = header.headerSize === null ? null : header;
    return planRanges(layout, file.takePrefix(layout?.headerSize ?? 0).size, wanted).ranges;
  } finally {
    file.close();
  }
}

t.setTimeout(600_000);

t.test('a record does not depend on when the bytes came', async (t) => {
  const folder = t.testdir({});
  const known = await Promise.all(
    WEIGHTS.map(async (path) => {
      const absolute = join(REAL, path);
      const descriptor = openSync(absolute, 'r');
      const [ranges, { size }] = [await rangesOf(absolute), statSync(absolute)];
      const { record } = native().measure(descriptor, size, ranges, null, 0, 'auto', null, 'all');
      closeSync(descriptor);
      return { path, body: readFileSync(absolute), ranges, record: Buffer.from(record) };
    }),
  );
  t.ok(known.length >= 8, 'found the files');
  let count = 0;
  const arrival = fc.record({
    file: fc.constantFrom(...known),
    io: fc.constantFrom('mmap', 'pread', 'auto'),
    pieces: fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(arrival, async ({ file: { body, ranges, record }, io, pieces }) => {
      const path = join(folder, `part-${count++}`);
      const out = openSync(path, 'wx+');
      const pool = new MeasurePool(1, 1, undefined, true);
      try {
        const following = pool.follow(0, out, body.length, ranges, io as 'mmap');
        for (let at = 0, i = 0; at < body.length; i++) {
          at += writeSync(out, body, at, Math.min(pieces[i % pieces.length]!, body.length - at), at);
          pool.arrived(0, at);
          await new Promise((resolve) => setImmediate(resolve));
        }
        const measured = await following;
        const isSame =
          measured !== null &&
          measured.outcome === 'done' &&
          Buffer.from(measured.records[0]!).equals(record);
        return isSame && Buffer.from(await throughRing(out, body, ranges, pieces)).equals(record);
      } finally {
        await pool.close();
        closeSync(out);
      }
    }),
    { numRuns: Number(process.env.STEELYARD_RUNS ?? 60) },
  );
});

/** The same bytes, which are in no file. */
async function throughRing(
  descriptor: number,
  body: Buffer,
  ranges: Float64Array,
  pieces: readonly number[],
): Promise<ArrayBuffer> {
  const pool = new MeasurePool(1, 1, undefined, true);
  try {
    const ring = new Ring(pool, 0, descriptor, body.length, ranges, 65_536 + (pieces[0]! % 100_000));
    for (let at = 0, i = 0; at < body.length; at += pieces[i++ % pieces.length]!)
      await ring.push(body.subarray(at, at + pieces[i % pieces.length]!));
    return (await ring.result)!.records[0]!;
  } finally {
    await pool.close();
  }
}

t.test('no more comes', async (t) => {
  const path = join(t.testdir({ part: 'x' }), 'part');
  const descriptor = openSync(path, 'r');
  const pool = new MeasurePool(1, 1, undefined, true);
  const following = pool.follow(0, descriptor, 1_000_000, new Float64Array(0), 'auto');
  setTimeout(() => pool.arrived(0, -1), 20);
  t.equal(await following, null);
  await pool.close();
  closeSync(descriptor);
  t.throws(
    () => native().measure(0, 1, new Float64Array(0), new BigInt64Array(2), 1, 'auto', null, 'all', 2),
    /following/,
  );
  const words = new BigInt64Array(3);
  for (const ring of [new Uint8Array(), new Uint16Array(8)] as Uint8Array[])
    t.throws(
      () => native().measure(0, 1, new Float64Array(0), words, 1, 'auto', null, 'all', 2, ring),
      /ring/,
    );
  t.throws(
    () => native().measure(0, 1, new Float64Array(0), words, 1, 'auto', null, 'all', 0, new Uint8Array(8)),
    /ring/,
  );
});

/** One tensor, as large as asked. */
function large(size: number, more: object = {}): Buffer {
  const json = Buffer.from(
    JSON.stringify({ 'a.weight': { dtype: 'BF16', shape: [size / 2], data_offsets: [0, size], ...more } }),
  );
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(json.length));
  const body = Buffer.alloc(8 + json.length + size, 0x3c);
  head.copy(body);
  json.copy(body, 8);
  for (let at = 8 + json.length; at + 4 <= body.length; at += 4096) body.writeUInt32LE(at >>> 2, at);
  return body;
}

/** MiB; 2048 once in a while. */
const LARGE = Number(process.env.STEELYARD_LARGE ?? 66);

t.test('a large file is measured while it comes, and the report is that of a scan', async (t) => {
  const folder = t.testdir({});
  const files = new Map([
    ['a.safetensors', large(LARGE * 2 ** 20)],
    ['b.safetensors', large(3 * 2 ** 20)],
  ]);
  const hub = await hubServer({ files });
  t.teardown(hub.close);
  const output = join(folder, 'model');
  const result = await pull('hf://acme/tiny', { output, env: { HF_ENDPOINT: hub.url } });
  t.equal(result.outcome, 'pass', JSON.stringify(result.findings));
  t.equal(renderJson(result.report!), renderJson(await scan(output)));
});

t.test('a header that no loader takes ends the transfer', async (t) => {
  const folder = t.testdir({});
  const body = large(100 * 2 ** 20, { extra: 'x' });
  let sent = 0;
  const hub = await hubServer({
    files: new Map([['a.safetensors', body]]),
    fault: (request, response, bytes) => {
      if (bytes === null || /resolve/.test(request.url!)) return false;
      // A slow line: a MiB at a time.
      const [, first, last] = /bytes=(\d+)-(\d+)/.exec(request.headers.range!)!;
      const end = Number(last) + 1;
      if (request.headers.range === 'bytes=0-0') {
        sendRange(request, response, bytes);
        return true;
      }
      response.writeHead(206, {
        'content-range': `bytes ${first}-${end - 1}/${bytes.length}`,
        'content-length': String(end - Number(first)),
      });
      let at = Number(first);
      const next = (): void => {
        if (response.destroyed || at >= end) return void response.end();
        sent += 2 ** 20;
        const piece = bytes.subarray(at, Math.min(at + 2 ** 20, end));
        at += piece.length;
        response.write(piece, () => setTimeout(next, 5));
      };
      next();
      return true;
    },
  });
  t.teardown(hub.close);
  const result = await pull('hf://acme/tiny', {
    output: join(folder, 'model'),
    env: { HF_ENDPOINT: hub.url },
  });
  t.match(result, {
    outcome: 'fail',
    report: null,
    findings: [{ severity: 'critical', file: 'a.safetensors' }],
  });
  t.ok(sent < body.length / 2, `${sent} bytes were sent`);
  t.same(readdirSync(folder), []);
});
