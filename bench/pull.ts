// What verifying while a model arrives costs: CPU seconds of `steelyard pull` beside those of downloading and scanning apart, and of the
// clients that people use, from one server on this machine. Writes bench/results/pull.md.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { request } from 'undici';
import { pull } from '../src/pull/pull.ts';
import { packageRoot } from '../test/kit/root.ts';
import { COMMIT, hubServer, listening, sendRange } from '../test/source/hub-server.ts';

const SIZE = Number(process.env.STEELYARD_BENCH_MIB ?? 1024) * 2 ** 20;
const ROUNDS = Number(process.env.STEELYARD_BENCH_ROUNDS ?? 3);
const RATE = 48 * 2 ** 20;
const CHUNK = 256 * 1024;
const MAIN = join(packageRoot, 'out', 'src', 'cli', 'main.js');

/** One file of BF16, in a process of its own: its CPU is not the client's. */
async function serve(): Promise<void> {
  const json = Buffer.from(
    JSON.stringify({ 'a.weight': { dtype: 'BF16', shape: [SIZE / 2], data_offsets: [0, SIZE] } }),
  );
  const body = Buffer.alloc(8 + json.length + SIZE);
  body.writeBigUInt64LE(BigInt(json.length));
  json.copy(body, 8);
  let state = 1;
  for (let at = body.length - SIZE; at < body.length; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    body.writeUInt32LE(((state & 0x01ff01ff) | 0x3c003c00) >>> 0, at);
  }
  const files = new Map([['model.safetensors', body]]);
  const hub = await hubServer({ files });
  const slow = await hubServer({ files: new Map([['model.safetensors', body.subarray(0)]]), fault: slowly });
  const bucket = await listening((request, response) =>
    sendRange(request, response, body, { etag: '"1"', 'last-modified': new Date(0).toUTCString() }),
  );
  const control = createServer(
    (_request, response) =>
      void response.end(
        JSON.stringify({ url: hub.url, cdn: hub.cdn, slow: slow.url, bucket: bucket.url, last: lastByte }),
      ),
  );
  control.listen(0, '127.0.0.1', () => console.log((control.address() as { port: number }).port));
}

/** When the last byte was handed over, in ms since 1970. */
let lastByte = 0;

/** A line of RATE for all connections together: the CPU keeps up with it. */
function slowly(request: IncomingMessage, response: ServerResponse, body: Buffer | null): boolean {
  if (body === null || /resolve/.test(request.url!)) return false;
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  const [start, end] = [Number(first ?? 0), last === undefined ? body.length : Number(last) + 1];
  const range = { 'content-range': `bytes ${start}-${end - 1}/${body.length}` };
  const length = { 'content-length': String(end - start), etag: '"1"' };
  response.writeHead(first === undefined ? 200 : 206, first === undefined ? length : { ...length, ...range });
  void sendSlowly(response, body.subarray(start, end));
  return true;
}

let due = 0;
async function sendSlowly(response: ServerResponse, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; at += CHUNK) {
    due = Math.max(due, performance.now()) + (1000 * CHUNK) / RATE;
    await setTimeout(due - performance.now());
    if (!response.write(bytes.subarray(at, at + CHUNK)))
      await new Promise((resolve) => response.once('drain', resolve));
  }
  response.end(() => {
    lastByte = Date.now();
  });
}

/** A download and nothing else, with the library that `pull` has. */
async function fetchBare(url: string, path: string): Promise<void> {
  const { body } = await request(url, { headers: { 'accept-encoding': 'identity' } });
  const out = openSync(path, 'w');
  for await (const piece of body) writeSync(out, piece as Uint8Array);
}

/** User and system seconds, and seconds on the clock. */
function timed(command: string, env: Record<string, string>): { cpu: number; wall: number } {
  const script = `TIMEFORMAT='%U %S %R'; time { { ${command}; } >/dev/null 2>/dev/null; }`;
  const out = execFileSync('bash', ['-c', `{ ${script}; } 2>&1`], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  const [user, system, wall] = out.trim().split(' ').map(Number);
  return { cpu: user! + system!, wall: wall! };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

async function measure(): Promise<void> {
  const server = spawn(process.execPath, [import.meta.filename, 'serve'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise<string>((resolve) =>
    server.stdout.once('data', (data) => resolve(String(data).trim())),
  );
  const ask = async () =>
    (await (await fetch(`http://127.0.0.1:${port}`)).json()) as Record<string, string> & { last: number };
  const { url, cdn, slow, bucket } = await ask();
  const folder = mkdtempSync(join(tmpdir(), 'steelyard-bench-'));
  const env = {
    HF_ENDPOINT: url!,
    HF_HUB_DISABLE_XET: '1',
    HF_HUB_DISABLE_PROGRESS_BARS: '1',
    HF_HOME: join(folder, 'hf'),
    AWS_ENDPOINT_URL: bucket!,
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 'b',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const node = `${process.execPath} ${MAIN}`;
  const has = (tool: string): boolean =>
    execFileSync('bash', ['-c', `command -v ${tool} || true`], { encoding: 'utf8' }) !== '';
  const ways: Record<string, string> = {
    'pull (fetched, hashed, scanned, compared)': `rm -rf ${folder}/a ${folder}/a.*; ${node} pull hf://acme/tiny -o ${folder}/a --no-progress`,
    'curl, then scan': `rm -rf ${folder}/b; mkdir ${folder}/b; curl -s -o ${folder}/b/model.safetensors ${cdn}/model.safetensors; ${node} scan ${folder}/b --no-progress`,
    'the same HTTP library bare, then scan': `rm -rf ${folder}/b; mkdir ${folder}/b; ${process.execPath} ${import.meta.filename} fetch ${cdn}/model.safetensors ${folder}/b/model.safetensors; ${node} scan ${folder}/b --no-progress`,
    'curl, sha256sum, then scan': `rm -rf ${folder}/b; mkdir ${folder}/b; curl -s -o ${folder}/b/model.safetensors ${cdn}/model.safetensors; sha256sum ${folder}/b/model.safetensors; ${node} scan ${folder}/b --no-progress`,
    ...(has('hf')
      ? {
          'hf download (compares sizes), then scan': `rm -rf ${folder}/hf; hf download acme/tiny --revision ${COMMIT}; ${node} scan ${folder}/hf/hub/models--acme--tiny/snapshots/${COMMIT} --no-progress`,
        }
      : {}),
    ...(has('aws')
      ? {
          'aws s3 cp, then scan': `rm -rf ${folder}/b; mkdir ${folder}/b; aws s3 cp --quiet s3://models/model.safetensors ${folder}/b/; ${node} scan ${folder}/b --no-progress`,
          'aws s3 cp, sha256sum, then scan': `rm -rf ${folder}/b; mkdir ${folder}/b; aws s3 cp --quiet s3://models/model.safetensors ${folder}/b/; sha256sum ${folder}/b/model.safetensors; ${node} scan ${folder}/b --no-progress`,
        }
      : {}),
  };
  const found = Object.fromEntries(
    Object.keys(ways).map((name) => [name, [] as { cpu: number; wall: number }[]]),
  );
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, command] of Object.entries(ways)) found[name]!.push(timed(command, env));
  const [late, lateCpu]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    const command = [import.meta.filename, 'pull', slow!, join(folder, `slow-${round}`)];
    const [done, cpu] = JSON.parse(execFileSync(process.execPath, command, { encoding: 'utf8' })) as number[];
    late.push(done! - (await ask()).last);
    lateCpu.push(cpu!);
  }
  server.kill();
  rmSync(folder, { recursive: true, force: true });
  const base = median(found['curl, then scan']!.map(({ cpu }) => cpu));
  const rows = Object.entries(found).map(([name, all]) => {
    const cpu = all.map((one) => one.cpu);
    const [least, most] = [Math.min(...cpu), Math.max(...cpu)].map((value) => value.toFixed(2));
    const wall = median(all.map((one) => one.wall)).toFixed(1);
    return `| ${name} | ${median(cpu).toFixed(2)} | ${least} to ${most} | ${(median(cpu) / base).toFixed(2)} | ${wall} |`;
  });
  const text = `# What a pull costs

One BF16 file of ${SIZE / 2 ** 20} MiB from a server on the same machine (a process of its own, not counted), ${ROUNDS} rounds, alternating.
CPU seconds of all processes of the client, user and system. ${cpus()[0]?.model ?? ''}, ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)} when it ended:
clock times are of a busy machine and say little.

Over a line of ${RATE / 2 ** 20} MiB/s the model was in its place ${median(late)} ms after the last byte (${late.join(', ')}), with ${median(lateCpu)} ms of CPU
(${lateCpu.join(', ')}), of all threads, from the last byte on.

| way | CPU seconds, median | range | of curl and scan | clock seconds |
|---|---|---|---|---|
${rows.join('\n')}

\`node out/bench/pull.js\` writes this page.
`;
  writeFileSync(join(packageRoot, 'bench', 'results', 'pull.md'), text);
  console.log(text);
}

if (process.argv[2] === 'serve') await serve();
else if (process.argv[2] === 'fetch') await fetchBare(process.argv[3]!, process.argv[4]!);
else if (process.argv[2] === 'pull') {
  let before = process.cpuUsage();
  await pull('hf://acme/tiny', {
    output: process.argv[4]!,
    env: { HF_ENDPOINT: process.argv[3]! },
    onProgress: ({ bytesDone, bytesTotal }) => {
      if (bytesDone < bytesTotal) before = process.cpuUsage();
    },
  });
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify([Date.now(), Math.round((user + system) / 1000)]));
} else await measure();
