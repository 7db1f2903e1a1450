// A Kubernetes API of three verbs on loopback. What it answers was recorded from a real one (fixtures/kubernetes); a test compares them.
import { readFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener } from 'node:http';
import { join } from 'node:path';
import type { Test } from 'tap';
import { packageRoot } from '../../kit/root.ts';
import type { Anything } from '../../kit/specimen/forgery.ts';
import { serving } from '../release.ts';
import type { Api, Exchange } from './exchanges.ts';

const FILE = join(packageRoot, 'fixtures', 'kubernetes', 'recorded.json');
export const recorded = (): Record<string, Exchange> => JSON.parse(readFileSync(FILE, 'utf8'));

export interface Fake extends Api {
  /** The pods as they are now, for the test to change. */
  readonly pods: Anything[];
  /** `PATCH /api/…` of every request that changed something. */
  readonly changes: readonly string[];
}

const LIST = '/api/v1/namespaces/serving/pods';
const TOKENS = new Set(['Bearer drift-token', 'Bearer admin-token']);

export async function fakeApi(t: Test, tls?: { key: string; cert: string }): Promise<Fake> {
  const from = recorded();
  const bodyOf = (name: string): Anything => JSON.parse(from[name]!.answer.body);
  const pods: Anything[] = [...bodyOf('first page').items, ...bodyOf('second page').items];
  const changes: string[] = [];
  let expired = false;

  const refusal = (name: string, ...words: [string, string][]): Exchange['answer'] => {
    const { status, type, body } = from[name]!.answer;
    return { status, type, body: words.reduce((text, [was, is]) => text.replaceAll(was, is), body) };
  };
  const found = (body: object): Exchange['answer'] => ({
    status: 200,
    type: 'application/json',
    body: JSON.stringify(body),
  });

  const list = (query: URLSearchParams): Exchange['answer'] => {
    const token = query.get('continue');
    if (token !== null && expired) return refusal('expired');
    const wanted = query
      .get('labelSelector')!
      .split(',')
      .map((term) => term.split('='));
    const all = pods.filter(({ metadata }) =>
      wanted.every(([key, value]) => metadata.labels?.[key!] === value),
    );
    const start = token === null ? 0 : Number(token);
    const end = start + Number(query.get('limit') ?? 1000);
    const rest = all.length - end;
    const more = rest > 0 ? { continue: String(end) } : {};
    const metadata = { resourceVersion: '1', ...more };
    return found({ kind: 'PodList', apiVersion: 'v1', metadata, items: all.slice(start, end) });
  };

  const patch = (path: string, type: string | undefined, body: Anything): Exchange['answer'] => {
    const [name, part] = path.slice(LIST.length + 1).split('/');
    if (!type?.endsWith('-patch+json')) return refusal('wrong type');
    const pod = pods.find(({ metadata }) => metadata.name === name);
    if (pod === undefined) return refusal('no such pod', ['gone', name!]);
    const uid = body.metadata?.uid;
    if (uid !== undefined && uid !== pod.metadata.uid)
      return refusal('another pod of that name', ['chat-b', name!]);
    changes.push(path);
    if (part === 'status') setConditions(pod, body.status.conditions);
    else
      for (const key of ['labels', 'annotations'])
        pod.metadata[key] = merged(pod.metadata[key], body.metadata[key] ?? {});
    return found({ kind: 'Pod', apiVersion: 'v1', ...pod });
  };

  const answer = async (request: IncomingMessage): Promise<Exchange['answer']> => {
    const { pathname, searchParams } = new URL(request.url!, 'http://fake');
    const { authorization } = request.headers;
    if (authorization === undefined) return refusal('no token');
    if (!TOKENS.has(authorization)) return refusal('not allowed');
    if (request.method === 'GET' && pathname === LIST) return list(searchParams);
    let text = '';
    for await (const chunk of request) text += chunk;
    return patch(pathname, request.headers['content-type'], JSON.parse(text));
  };
  const handler: RequestListener = async (request, response) => {
    const { status, type, body } = await answer(request);
    response.writeHead(status, { 'content-type': type }).end(body);
  };
  const { port } = await serving(t, handler, 0, '127.0.0.1', tls);
  const url = `http${tls === undefined ? '' : 's'}://127.0.0.1:${port}`;
  return {
    pods,
    changes,
    url,
    ca: null,
    expire: async () => {
      expired = true;
    },
    asks: async ({ user, method, path, type, body }) => {
      const headers = {
        ...(user === null ? {} : { authorization: `Bearer ${user}-token` }),
        ...(type === undefined ? {} : { 'content-type': type }),
      };
      const reply = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body }) });
      return { status: reply.status, type: reply.headers.get('content-type')!, body: await reply.text() };
    },
  };
}

/** Strategic merge: a list that is keyed by its entries' type. */
function setConditions(pod: Anything, conditions: Anything[]): void {
  const kept = (pod.status.conditions ?? []).filter(
    ({ type }: Anything) => !conditions.some((one) => one.type === type),
  );
  pod.status.conditions = [...kept, ...conditions.map((one) => ({ lastProbeTime: null, ...one }))];
}

/** A merge patch: null takes away. */
const merged = (target: Anything, change: Anything): Anything =>
  Object.fromEntries(Object.entries({ ...target, ...change }).filter(([, value]) => value !== null));
