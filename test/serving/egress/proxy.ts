// Real proxies with configurations that were rendered, started and ended by a test; and what a test asks them.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEgress, render } from '../../../src/serving/egress/egress.ts';
import { pause } from '../../kit/steelyard.ts';

export const noSquid =
  spawnSync('squid', ['-v']).status !== 0 && 'NOT RUN: squid is not here (apt-get install squid)';

export interface Proxy {
  readonly port: number;
  /** What it was started with. */
  readonly text: string;
  log(): string;
  end(): Promise<void>;
}

export interface ProxyOptions {
  /** Names and their addresses, as in /etc/hosts. */
  readonly hosts: string;
  readonly listen: string;
  /** What stands before the command: `ip netns exec NAME`. */
  readonly within?: readonly string[];
  /** Waits until it listens; the default connects. */
  readonly ready?: (port: number) => Promise<boolean>;
}

/** Whether somebody listens there. */
export const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const settle = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.on('connect', () => settle(true)).on('error', () => settle(false));
  });

/** Renders and starts. Squid gives up its rights, so that its folder is open to everybody. */
export async function startSquid(declaration: string, options: ProxyOptions): Promise<Proxy> {
  const folder = mkdtempSync(join(tmpdir(), 'steelyard-squid-'));
  chmodSync(folder, 0o777);
  const at = (name: string): string => join(folder, name);
  const { text } = render(parseEgress(declaration), 'squid', {
    name: 'test',
    namespace: null,
    selector: new Map(),
    proxy: { selector: new Map(), port: 0 },
    listen: options.listen,
  });
  writeFileSync(at('hosts'), options.hosts);
  const own = [
    `hosts_file ${at('hosts')}`,
    'dns_nameservers 127.0.0.1',
    'dns_timeout 1 second',
    `pid_filename ${at('pid')}`,
    `access_log stdio:${at('access.log')}`,
    `cache_log ${at('cache.log')}`,
    `coredump_dir ${folder}`,
    'visible_hostname test',
  ];
  writeFileSync(at('squid.conf'), `${text}\n${own.join('\n')}\n`);
  const parsed = spawnSync('squid', ['-k', 'parse', '-f', at('squid.conf')], { encoding: 'utf8' });
  const complaints = parsed.stderr
    .split('\n')
    .filter((line) => /ERROR|FATAL|WARNING: (?!HTTP requires)/.test(line));
  if (parsed.status !== 0 || complaints.length > 0) throw new Error(complaints.join('\n') || parsed.stderr);
  const command = [...(options.within ?? []), 'squid', '-N', '-f', at('squid.conf')];
  const child = spawn(command[0]!, command.slice(1), { stdio: 'ignore' });
  const port = Number(options.listen.split(':').at(-1));
  const ready = options.ready ?? accepts;
  for (let i = 0; i < 600 && child.exitCode === null && !(await ready(port)); i++) await pause(100);
  return {
    port,
    text,
    log: () => readFileSync(at('access.log'), 'utf8'),
    end: async () => {
      await ended(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.on('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

/** A server that says hello to whoever comes. */
export async function greeter(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.on('error', () => undefined).end('hello'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as { port: number }).port };
}

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  const { server, port } = await greeter();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** CONNECT through a proxy: the status, and what came after it. */
export const through = (proxy: number, authority: string): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: proxy });
    let text = '';
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      // After a refusal Squid waits for the next request.
      if (/^HTTP\/1\.[01] [^2]/.test(text)) socket.destroy();
    });
    socket.on('close', () => {
      const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1]);
      resolve({ status, body: text.slice(text.indexOf('\r\n\r\n') + 4) });
    });
    socket.on('error', reject);
  });
