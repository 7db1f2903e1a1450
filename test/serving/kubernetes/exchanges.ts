// The exchanges that drift has with an API server, once each: recorded from a real one, replayed by the fake, compared by the test.
import { hex } from '../../kit/specimen/forgery.ts';

export interface Exchange {
  readonly request: {
    /** null: without a token. */
    readonly user: 'admin' | 'drift' | 'nobody' | null;
    readonly method: string;
    readonly path: string;
    readonly type?: string;
    readonly body?: string;
  };
  readonly answer: { readonly status: number; readonly type: string; readonly body: string };
}

export interface Api {
  asks(request: Exchange['request']): Promise<Exchange['answer']>;
  readonly url: string;
  /** Its certificate; null: plain HTTP. */
  readonly ca: string | null;
  /** Makes the tokens of lists that were begun expire. */
  expire(): Promise<void>;
}

/** What docs/drift.md grants. */
export const ROLE = {
  metadata: { name: 'steelyard-drift', namespace: 'serving' },
  rules: [
    { apiGroups: [''], resources: ['pods'], verbs: ['list', 'patch'] },
    { apiGroups: [''], resources: ['pods/status'], verbs: ['patch'] },
  ],
};

export const IMAGE = `registry.example/server@sha256:${hex('image')}`;

const pod = (name: string, address: string, more: object, labels: object = {}) => ({
  metadata: { name, namespace: 'serving', labels: { app: 'chat', ...labels } },
  spec: {
    containers: [{ name: 'server', image: IMAGE, ports: [{ containerPort: 8080 }] }],
    ...more,
  },
  status: {
    phase: 'Running',
    podIP: address,
    containerStatuses: [
      { name: 'server', image: IMAGE, imageID: IMAGE, ready: true, restartCount: 0, lastState: {} },
    ],
  },
});

const GATE = { readinessGates: [{ conditionType: 'steelyard.dev/provenance' }] };

/** Two with the readiness gate, two with the label. */
export const PODS = [
  pod('chat-a', '127.0.0.2', GATE),
  pod('chat-b', '127.0.0.3', GATE),
  pod('chat-c', '127.0.0.4', {}, { 'steelyard.dev/in-rotation': 'true' }),
  pod('chat-d', '127.0.0.5', {}, { 'steelyard.dev/in-rotation': 'true' }),
];

const LIST = '/api/v1/namespaces/serving/pods';
const STRATEGIC = 'application/strategic-merge-patch+json';
const MERGE = 'application/merge-patch+json';
const condition = (status: string, reason: string) => ({
  type: 'steelyard.dev/provenance',
  status,
  reason,
  lastTransitionTime: '2026-11-30T12:00:00Z',
});

type Ask = Api['asks'];
type Answer = Exchange['answer'];

/** Every exchange by name, in this order: later ones see what earlier ones did. */
export async function exchange(api: Api): Promise<Record<string, Exchange>> {
  const recorded: Record<string, Exchange> = {};
  const named =
    (name: string): Ask =>
    async (request) => {
      const answer = await api.asks(request);
      recorded[name] = { request, answer };
      return answer;
    };
  const get = (name: string, query: string, user: Exchange['request']['user'] = 'drift'): Promise<Answer> =>
    named(name)({ user, method: 'GET', path: `${LIST}?${query}` });
  const patch = (name: string, path: string, body: object, type = STRATEGIC): Promise<Answer> =>
    named(name)({
      user: 'drift',
      method: 'PATCH',
      path: `${LIST}/${path}`,
      type,
      body: JSON.stringify(body),
    });
  const status = (value: string, reason: string, uid?: string): object => ({
    ...(uid === undefined ? {} : { metadata: { uid } }),
    status: { conditions: [condition(value, reason)] },
  });

  const first = await get('first page', 'labelSelector=app%3Dchat&limit=3');
  const { items, metadata } = JSON.parse(first.body) as {
    items: { metadata: { uid: string } }[];
    metadata: { continue: string };
  };
  const more = `labelSelector=app%3Dchat&limit=3&continue=${encodeURIComponent(metadata.continue)}`;
  await get('second page', more);
  const [a, , c] = items.map((item) => item.metadata.uid);
  await patch('admitted', 'chat-a/status', status('True', 'ProvenanceHolds', a));
  await patch('pulled by its condition', 'chat-a/status', status('False', 'UnknownModelSha', a));
  const labels = {
    uid: c,
    labels: { 'steelyard.dev/in-rotation': null },
    annotations: { 'steelyard.dev/pulled': 'x' },
  };
  await patch('pulled by its label', 'chat-c', { metadata: labels }, MERGE);
  await get('in rotation', 'labelSelector=app%3Dchat%2Csteelyard.dev%2Fin-rotation%3Dtrue');
  const stranger = '00000000-0000-4000-8000-000000000000';
  await patch('another pod of that name', 'chat-b/status', status('False', 'UnknownModelSha', stranger));
  await patch('another pod of that name, label', 'chat-d', { metadata: { ...labels, uid: stranger } }, MERGE);
  await patch('no such pod', 'gone/status', status('False', 'UnknownModelSha'));
  await patch('wrong type', 'chat-b/status', status('False', 'UnknownModelSha'), 'application/json');
  await get('not allowed', 'labelSelector=app%3Dchat', 'nobody');
  await get('no token', 'labelSelector=app%3Dchat', null);
  await api.expire();
  await get('expired', more);
  return recorded;
}
