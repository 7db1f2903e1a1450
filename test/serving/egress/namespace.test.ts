// Nothing goes round the proxy: a pod, a proxy and a world as three network namespaces. When the router between them forwards, the
// probe must say so; when it does not, the probe must hold.
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../kit/root.ts';
import { run } from '../../kit/steelyard.ts';
import { ended, noSquid, startSquid } from './proxy.ts';

t.setTimeout(600_000);

const ip = (...args: readonly string[]) => spawnSync('ip', args, { encoding: 'utf8' });
const tag = `sy${process.pid}`;
const [POD, GATE, WORLD] = [`${tag}p`, `${tag}g`, `${tag}w`] as const;
const within = (name: string, ...command: readonly string[]): readonly string[] => [
  'ip',
  'netns',
  'exec',
  name,
  ...command,
];

function made(): boolean {
  const can = ip('netns', 'add', POD).status === 0;
  if (can) ip('netns', 'del', POD);
  return can;
}
const skip =
  noSquid || (!made() && 'NOT RUN: network namespaces cannot be made here (iproute2 and CAP_NET_ADMIN)');

/** Throws what `ip` says. */
function must(...args: readonly string[]): void {
  const { status, stderr } = ip(...args);
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
}

/** 10.200.1.2 (pod) – 10.200.1.1 (gate) 198.51.100.1 – 198.51.100.7 (world). */
function build(): void {
  for (const name of [POD, GATE, WORLD]) {
    must('netns', 'add', name);
    must('-n', name, 'link', 'set', 'lo', 'up');
  }
  const pair = (a: string, b: string, from: string, to: string): void => {
    must(
      'link',
      'add',
      `${tag}${from}`,
      'netns',
      a,
      'type',
      'veth',
      'peer',
      'name',
      `${tag}${to}`,
      'netns',
      b,
    );
  };
  pair(POD, GATE, '1', '2');
  pair(GATE, WORLD, '3', '4');
  for (const [name, link, address] of [
    [POD, '1', '10.200.1.2/24'],
    [GATE, '2', '10.200.1.1/24'],
    [GATE, '3', '198.51.100.1/24'],
    [WORLD, '4', '198.51.100.7/24'],
  ] as const) {
    must('-n', name, 'addr', 'add', address, 'dev', `${tag}${link}`);
    must('-n', name, 'link', 'set', `${tag}${link}`, 'up');
  }
  must('-n', POD, 'route', 'add', 'default', 'via', '10.200.1.1');
  must('-n', WORLD, 'route', 'add', 'default', 'via', '198.51.100.1');
}

const forward = (on: boolean): void => {
  const command = within(GATE, 'sh', '-c', `echo ${on ? 1 : 0} > /proc/sys/net/ipv4/ip_forward`);
  spawnSync(command[0]!, command.slice(1));
};

const LISTENER =
  "require('net').createServer((s) => s.on('error', () => {}).end('hello')).listen(8443, '198.51.100.7')";

t.test('from a namespace with a proxy', { skip }, async (t) => {
  t.teardown(() => {
    for (const name of [POD, GATE, WORLD]) ip('netns', 'del', name);
  });
  build();
  const command = within(WORLD, process.execPath, '-e', LISTENER);
  const world = spawn(command[0]!, command.slice(1), { stdio: 'ignore' });
  t.teardown(() => ended(world));
  const declaration = 'egress: {allow: ["https://vector-db.internal:8443"], deny: ["*"]}\n';
  const squid = await startSquid(declaration, {
    listen: '10.200.1.1:3128',
    hosts: '198.51.100.7 vector-db.internal\n',
    within: within(GATE),
    ready: async () =>
      spawnSync('ip', ['netns', 'exec', POD, 'bash', '-c', 'exec 3<>/dev/tcp/10.200.1.1/3128']).status === 0,
  });
  t.teardown(() => squid.end());
  const folder = t.testdir({
    'egress.yaml': declaration,
    'other.yaml': declaration.replace('vector-db', 'other'),
  });
  const probe = (file: string, port: number, ...more: readonly string[]) =>
    run(
      within(
        POD,
        process.execPath,
        join(packageRoot, 'out', 'src', 'cli', 'main.js'),
        'egress',
        'probe',
        join(folder, file),
        '--proxy',
        `http://10.200.1.1:${port}`,
        ...more,
      ),
    );
  const listening = ['--direct', '198.51.100.7:8443'];
  forward(false);
  const closed = await probe('egress.yaml', 3128, ...listening);
  t.equal(closed.code, 0, closed.stdout + closed.stderr);
  t.match(closed.stdout, /HOLDS {4}CONNECT vector-db\.internal:8443 {2}expected allowed: answered 200/);
  t.match(closed.stdout, /HOLDS {4}past the proxy: 198\.51\.100\.7:8443/);
  t.ok(
    (closed.stdout.match(/HOLDS {4}CONNECT .* expected denied: answered 403/g) ?? []).length >= 8,
    'refused, each within a second',
  );
  forward(true);
  const open = await probe('egress.yaml', 3128, ...listening);
  t.equal(open.code, 1, `a router that forwards is a way round ${open.stderr}`);
  t.match(open.stdout, /BROKEN {3}past the proxy: 198\.51\.100\.7:8443 {2}expected unreachable: connected/);
  forward(false);
  const refused = await probe('other.yaml', 3128, ...listening);
  t.equal(refused.code, 1, 'an allowed name that the proxy refuses');
  t.match(refused.stdout, /BROKEN {3}CONNECT other\.internal:8443 {2}expected allowed: answered 403/);
  t.equal((await probe('egress.yaml', 9, ...listening)).code, 2, 'no proxy, no verdict');
  t.equal(
    (await probe('egress.yaml', 3128)).code,
    2,
    'without DNS and without an address, nothing is proven',
  );
});
