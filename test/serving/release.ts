// A small signed release on disk, and processes that a test starts and ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { createMbom, digestModel, type MbomOptions, signDocument } from '../../src/index.ts';
import { pair } from '../kit/specimen/forgery.ts';
import { pause } from '../kit/steelyard.ts';
import { writeTensors } from '../kit/written.ts';

export interface Release {
  readonly folder: string;
  /** The model. */
  readonly root: string;
  readonly mbom: string;
  readonly signature: string;
  readonly publicKey: string;
  readonly document: Buffer;
  readonly bundle: Buffer;
}

/** Writes model, MBOM, signature and key; the folder goes when the test ends. */
export async function release(t: Test, options: Partial<MbomOptions> = {}): Promise<Release> {
  const folder = mkdtempSync(join(tmpdir(), 'steelyard-serving-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const root = join(folder, 'model');
  mkdirSync(join(root, 'sub'), { recursive: true });
  writeFileSync(join(root, 'config.json'), '{}');
  writeFileSync(join(root, 'sub', 'notes.txt'), 'notes');
  writeTensors(join(root, 'model.safetensors'), [
    { name: 'w', dtype: 'F32', shape: [2], bytes: new Uint8Array(8) },
  ]);
  const { files } = await digestModel(root);
  const document = Buffer.from(createMbom(files, { name: 'tiny', ...options }));
  const key = pair();
  const bundle = Buffer.from(signDocument(document, { privateKey: key.secret }));
  const [mbom, signature, publicKey] = ['m.mbom.yaml', 'm.mbom.yaml.sigstore.json', 'pub.pem'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  writeFileSync(mbom, document);
  writeFileSync(signature, bundle);
  writeFileSync(publicKey, key.public);
  return { folder, root, mbom, signature, publicKey, document, bundle };
}

/** A port that nobody has now. */
export async function freePort(): Promise<number> {
  const server = createSocketServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** An HTTP server on loopback until the test ends. */
export async function serving(
  t: Test,
  handler: RequestListener,
  port = 0,
  host = '127.0.0.1',
  tls?: { key: string; cert: string },
): Promise<{ port: number; server: Server }> {
  const server = (tls === undefined ? createServer(handler) : createTlsServer(tls, handler)).listen(
    port,
    host,
  );
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server };
}

/** A process until the test ends; what it says is kept. */
export function started(
  t: Test,
  command: string,
  args: readonly string[],
): ChildProcess & { said: () => string } {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
  }
  child.on('error', (error) => {
    text += String(error);
  });
  t.teardown(() => ended(child));
  return Object.assign(child, { said: () => text });
}

export async function ended(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill(signal);
  await closed;
}

/** Waits until it is so; a busy machine has half a minute, and the answer of the last look is what is compared. */
export async function until<T>(look: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
  for (const end = performance.now() + 30_000; ; await pause(50)) {
    const value = await look();
    if (good(value) || performance.now() > end) return value;
  }
}

export interface Said {
  /** 0: nobody answered. */
  readonly status: number;
  readonly model: string | null;
  readonly bom: string | null;
  readonly adapter: string | null;
}

export async function ask(url: string): Promise<Said> {
  try {
    const { status, headers, body } = await fetch(url, { headers: { connection: 'close' } });
    await body?.cancel();
    const [model, bom, adapter] = ['x-model-sha', 'x-bom-id', 'x-adapter-sha'].map((name) =>
      headers.get(name),
    );
    return { status, model: model!, bom: bom!, adapter: adapter! };
  } catch {
    return { status: 0, model: null, bom: null, adapter: null };
  }
}

export const UNKNOWN: Said = { status: 503, model: 'unknown', bom: 'unknown', adapter: null };
