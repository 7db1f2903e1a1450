// A model server that a test tells what to say.

import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { Test } from 'tap';
import { type Release, releaseOf } from '../../src/serving/drift/allowed-release.ts';
import { clientOf } from '../../src/serving/drift/drift.ts';
import type { RoundOptions } from '../../src/serving/drift/round.ts';
import { type Anything, hex } from '../kit/specimen/forgery.ts';
import { type Release as OnDisk, serving } from './release.ts';

export interface Says {
  status?: number;
  headers?: Record<string, string | string[]>;
  /** Answers by path; a string is sent as it is. */
  readonly paths?: Record<string, Anything>;
  /** Never answers. */
  silent?: boolean;
  seen?: IncomingMessage['headers'][];
}

/** What it says may be changed while it runs. Returns its address. */
export async function target(t: Test, says: Says, host = '127.0.0.1', port = 0): Promise<string> {
  const { server } = await serving(
    t,
    (request, response) => {
      says.seen?.push(request.headers);
      if (says.silent) return;
      const path = request.url!;
      const body = path === '/healthz' ? 'fine' : says.paths?.[path];
      if (body === undefined) return void response.writeHead(404, says.headers).end('no such path');
      const status = path === '/healthz' ? (says.status ?? 200) : (body.$status ?? 200);
      response.writeHead(status, says.headers).end(typeof body === 'string' ? body : JSON.stringify(body));
    },
    port,
    host,
  );
  return `http://${host}:${(server.address() as { port: number }).port}`;
}

/** The release that lies on disk, its signature verified. */
export function proven({
  document,
  bundle,
  publicKey,
}: Pick<OnDisk, 'document' | 'bundle' | 'publicKey'>): Release {
  const outcome = releaseOf(
    document,
    bundle,
    { method: 'key', publicKey: readFileSync(publicKey) },
    new Date(),
  );
  if (!outcome.verified) throw new Error('not verified');
  return outcome.release;
}

export const headersFor = ({ modelSha, bomId, mbom }: Release): Record<string, string> => ({
  'x-model-sha': modelSha,
  'x-bom-id': bomId,
  ...(mbom.adapter === undefined ? {} : { 'x-adapter-sha': mbom.adapter.digest }),
});

export const AT = new Date('2026-11-30T12:00:00Z');
export const OTHER = `sha256:${hex('another model')}`;

/** Options of a round with nothing special. */
export function options(
  t: Test,
  allowed: readonly Release[],
  more: Partial<RoundOptions> = {},
): RoundOptions {
  const client = clientOf(new AbortController().signal);
  t.teardown(() => client.close());
  return {
    client,
    path: '/healthz',
    headers: {},
    allowed,
    at: AT,
    confirm: 2,
    pause: async () => undefined,
    limit: { percent: 25 },
    rotation: null,
    ...more,
  };
}
