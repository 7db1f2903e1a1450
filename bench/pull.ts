// What verifying while a model arrives costs: CPU seconds of `steelyard pull` beside those of downloading and scanning apart, and of the
// clients that people use, from one server on this machine. Writes bench/results/pull.md.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { packageRoot } from '../test/kit/root.ts';
import { COMMIT, hubServer } from '../test/source/hub-server.ts';

const SIZE = Number(process.env.STEELYARD_BENCH_MIB ?? 1024) * 2 ** 20;
const ROUNDS = Number(process.env.STEELYARD_BENCH_ROUNDS ?? 3);
const MAIN = join(packageRoot, 'out', 'src', 'cli', 'main.js');

/** One file of BF16, in a process of its own: its CPU is not the client's. */
async function serve(): Promise<void> {
  const json = Buffer.from(
    JSON.stringify({ 'a.weight': { dtype: 'BF16', shape: [SIZE / 2], data_offsets: [0, SIZE] } }),
  );
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(json.length));
  const noise = Buffer.alloc(SIZE);
  let state = 1;
  for (let at = 0; at < SIZE; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    noise.writeUInt32LE(((state & 0x01ff01ff) | 0x3c003c00) >>> 0, at);
  }
  const body = Buffer.concat([head, json, noise]);
  const hub = await hubServer({ files: new Map([['model.safetensors', body]]) });
  const control = createServer(
    (_request, response) => void response.end(JSON.stringify({ url: hub.url, cdn: hub.cdn })),
  );
  control.listen(0, '127.0.0.1', () => console.log((control.address() as { port: number }).port));
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
  const { url, cdn } = (await (await fetch(`http://127.0.0.1:${port}`)).json()) as {
    url: string;
    cdn: string;
  };
  const folder = mkdtempSync(join(tmpdir(), 'steelyard-bench-'));
  const env = {
    HF_ENDPOINT: url,
    HF_HUB_DISABLE_XET: '1',
    HF_HUB_DISABLE_PROGRESS_BARS: '1',
    HF_HOME: join(folder, 'hf'),
  };
  const node = `${process.execPath} ${MAIN}`;
  const hf =
    existsSync('/usr/bin/hf') ||
    execFileSync('bash', ['-c', 'command -v hf || true'], { encoding: 'utf8' }) !== '';
  const ways: Record<string, string> = {
    'pull (fetched, hashed, scanned, compared)': `rm -rf ${folder}/a ${folder}/a.*; ${node} pull hf://acme/tiny -o ${folder}/a --no-progress`,
    'curl, then scan': `rm -rf ${folder}/b; mkdir ${folder}/b; curl -s -o ${folder}/b/model.safetensors ${cdn}/model.safetensors; ${node} scan ${folder}/b --no-progress`,
    'the same HTTP library bare, then scan': `rm -rf ${folder}/b; mkdir ${folder}/b; ${process.execPath} ${import.meta.filename} fetch ${cdn}/model.safetensors ${folder}/b/model.safetensors; ${node} scan ${folder}/b --no-progress`,
    'curl, sha256sum, then scan': `rm -rf ${folder}/b; mkdir ${folder}/b; curl -s -o ${folder}/b/model.safetensors ${cdn}/model.safetensors; sha256sum ${folder}/b/model.safetensors; ${node} scan ${folder}/b --no-progress`,
    ...(hf
      ? {
          'hf download (compares sizes), then scan': `rm -rf ${folder}/hf; hf download acme/tiny --revision ${COMMIT}; ${node} scan ${folder}/hf/hub/models--acme--tiny/snapshots/${COMMIT} --no-progress`,
        }
      : {}),
  };
  const found = Object.fromEntries(
    Object.keys(ways).map((name) => [name, [] as { cpu: number; wall: number }[]]),
  );
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, command] of Object.entries(ways)) found[name]!.push(timed(command, env));
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
else await measure();
