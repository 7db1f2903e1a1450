// Three verbs of the Kubernetes API: list pods, and two patches of one. Not a client library: inside a cluster this is all it takes.

import { inert } from '../../../document/text/inert.ts';
import { SteelyardError } from '../../../rules/error.ts';
import { type Answer, type Client, jsonOf, NoAnswer, type Question, type Tls } from '../look/client.ts';

/** Where the API server is and who asks. */
export interface Cluster {
  /** Without a slash at the end. */
  readonly url: string;
  readonly tls: Tls;
  /** Asked before each request: tokens of service accounts are renewed on disk. */
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
}

type Patch = 'application/strategic-merge-patch+json' | 'application/merge-patch+json';

export interface PodApi {
  /** The items of all pages, unread. */
  list(namespace: string, selector: string): Promise<readonly unknown[]>;
  patch(namespace: string, name: string, part: '' | '/status', type: Patch, body: object): Promise<void>;
}

/** A page of pods stays below 4 MiB unless each has 40 KiB. */
const PAGE = 100;
const MOST_PAGES = 100;
/** A list that expired between two pages starts again. */
const MOST_STARTS = 3;

export function podApi({ url, headers }: Cluster, client: Client): PodApi {
  const ask = async (path: string, question: Question = {}): Promise<Answer> => {
    try {
      const credentials = await headers();
      return await client.ask(url + path, { ...question, headers: { ...credentials, ...question.headers } });
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      throw new SteelyardError('IO', `the Kubernetes API at ${url} does not answer: ${error.message}`);
    }
  };
  const pods = (namespace: string): string => `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  return {
    list: async (namespace, selector) => {
      const query = `labelSelector=${encodeURIComponent(selector)}&limit=${PAGE}`;
      for (let start = 0; start < MOST_STARTS; start++) {
        const items = await pages((more) => ask(`${pods(namespace)}?${query}${more}`), namespace);
        if (items !== null) return items;
      }
      throw new SteelyardError(
        'IO',
        `the list of pods in ${namespace} expired ${MOST_STARTS} times while it was read`,
      );
    },
    patch: async (namespace, name, part, type, body) => {
      const path = `${pods(namespace)}/${encodeURIComponent(name)}${part}`;
      const headers = { 'content-type': type };
      const answer = await ask(path, { method: 'PATCH', headers, body: JSON.stringify(body) });
      if (answer.status !== 200) throw refused(answer, `patch ${namespace}/${name}${part}`);
    },
  };
}

/** null: the list expired (410 Gone), as the API promises it may. */
async function pages(page: (more: string) => Promise<Answer>, namespace: string): Promise<unknown[] | null> {
  const items: unknown[] = [];
  let token = '';
  for (let count = 0; count < MOST_PAGES; count++) {
    const answer = await page(token === '' ? '' : `&continue=${encodeURIComponent(token)}`);
    if (answer.status === 410 && token !== '') return null;
    if (answer.status !== 200) throw refused(answer, `list pods in ${namespace}`);
    const list = jsonOf(answer) as { items?: unknown; metadata?: { continue?: unknown } } | undefined;
    if (!Array.isArray(list?.items))
      throw new SteelyardError('IO', 'the Kubernetes API answered with no list of pods');
    items.push(...list.items);
    const next = list.metadata?.continue;
    if (typeof next !== 'string' || next === '') return items;
    token = next;
  }
  throw new SteelyardError(
    'LIMIT',
    `more than ${PAGE * MOST_PAGES} pods in ${namespace}; use a narrower selector`,
  );
}

function refused(answer: Answer, what: string): SteelyardError {
  const { reason, message } = (jsonOf(answer) ?? {}) as { reason?: unknown; message?: unknown };
  const said = typeof message === 'string' ? inert(message, 500) : 'no message';
  const advice = answer.status === 403 ? '; docs/drift.md has the role that is needed' : '';
  const name = typeof reason === 'string' ? ` ${inert(reason)}` : '';
  return new SteelyardError(
    'IO',
    `the Kubernetes API refused to ${what}: ${answer.status}${name}: ${said}${advice}`,
  );
}
