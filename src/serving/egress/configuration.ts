// A serving configuration against a declaration: every address that it names must be allowed. Retrieval connectors, tools and
// callbacks stand in such files; what the declaration forbids would fail at run time, or tempt somebody to open the network.
import { isIP } from 'node:net';
import { contains } from '../network/network.ts';
import type { Fact, Fault, Place } from '../yaml/place.ts';
import { type Node, readManifest, TooLarge } from '../yaml/yaml.ts';
import { allowing, type Egress } from './declaration.ts';

/** An address that a configuration names. */
interface Named {
  readonly at: Place;
  readonly host: string;
  readonly port: number;
}

export interface Checked {
  /** All addresses that were found. */
  readonly named: readonly Named[];
  readonly refused: readonly Named[];
  /** What could not be read, or holds a hole that is filled elsewhere. */
  readonly faults: readonly Fault[];
}

/** More addresses than any configuration has: each is compared with each destination. */
const MOST = 10_000;

export function checkConfiguration(egress: Egress, text: string, file: string): Checked {
  const { documents, faults } = readManifest(text, file);
  const named: Named[] = [];
  const holes: Fault[] = [];
  for (const document of documents) {
    try {
      for (const { key, fact } of textsOf(document, '')) {
        const found = addressesIn(fact.value, key);
        if (found === null) holes.push(hole(fact));
        else named.push(...found.map((one) => ({ ...one, at: fact.at })));
        if (named.length > MOST) throw new TooLarge();
      }
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
      holes.push({
        code: 'LIMIT',
        at: { file, line: 1, column: 1 },
        message: 'larger than anything that is looked at',
      });
    }
  }
  const refused = named.filter(({ host, port }) => !isAllowed(egress, host, port));
  return { named, refused, faults: [...faults, ...holes] };
}

const hole = ({ at }: Fact<string>): Fault => ({
  code: 'INVALID_MANIFEST',
  at,
  message:
    'the address is filled in elsewhere, so that nobody can say whether it is allowed: check the rendered file',
});

const isAllowed = (egress: Egress, host: string, port: number): boolean =>
  isIP(host) === 0
    ? allowing(egress, host, port) !== undefined
    : egress.allow.some(
        (one) => one.kind === 'range' && one.ports.includes(port) && contains(one.range, host),
      );

/** Names of schemas are no addresses. */
const NO_ADDRESS = new Set(['$schema', '$id', 'apiVersion', 'xmlns']);

function* textsOf(node: Node, key: string): Generator<{ key: string; fact: Fact<string> }> {
  if (node.isList) for (const item of node.items()) yield* textsOf(item, key);
  else if (node.isMap) {
    const name = node.get('name')?.text;
    // An environment variable is a field with another spelling: {name: DB_HOST, value: …}.
    for (const [field, value] of node.entries())
      if (!NO_ADDRESS.has(field))
        yield* textsOf(value, field === 'value' && name !== undefined ? name : field);
  } else if (node.fact !== null) yield { key, fact: node.fact };
}

const PORTS: Readonly<Record<string, number>> = {
  http: 80,
  ws: 80,
  https: 443,
  wss: 443,
  grpc: 443,
  grpcs: 443,
  postgres: 5432,
  postgresql: 5432,
  mysql: 3306,
  redis: 6379,
  rediss: 6379,
  mongodb: 27_017,
  amqp: 5672,
  amqps: 5671,
  kafka: 9092,
  nats: 4222,
  oci: 443,
};

/** Stores whose addresses name a bucket or a repository: the host that their clients ask. */
const STORES: Readonly<Record<string, string>> = {
  s3: 's3.amazonaws.com',
  gs: 'storage.googleapis.com',
  hf: 'huggingface.co',
};

const LOCAL = /^(?:localhost|.*\.localhost|127(?:\.\d+){3}|0\.0\.0\.0|::1|::)$/;
const HOST_KEY = /(?:^|[_-])(?:host(?:name)?|server|endpoint|address|upstream|broker|proxy)s?$/i;
const BARE = /^(?:\[([0-9a-f:.]+)\]|([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+))(?::(\d{1,5}))?$/i;

type Address = Omit<Named, 'at'>;

/** null: there is a hole in an address. */
function addressesIn(text: string, key: string): Address[] | null {
  const found: Address[] = [];
  for (const [, scheme, rest] of text.matchAll(/\b([a-z][a-z0-9+]*):\/\/([^\s"'<>`|,;)\]}]*)/gi)) {
    const address = addressOf(scheme!.toLowerCase().split('+')[0]!, rest!);
    if (address === 'hole') return null;
    if (address !== null) found.push(address);
  }
  if (found.length > 0 || !HOST_KEY.test(key)) return found;
  if (/^\$[{(]?\w|\{\{/.test(text)) return null;
  const bare = BARE.exec(text);
  if (bare === null) return found;
  const host = (bare[1] ?? bare[2])!.toLowerCase();
  return LOCAL.test(host) ? found : [{ host, port: bare[3] === undefined ? 443 : Number(bare[3]) }];
}

function addressOf(scheme: string, rest: string): Address | 'hole' | null {
  const store = STORES[scheme];
  if (store !== undefined) return { host: store, port: 443 };
  const authority = rest.split(/[/?#]/)[0]!.split('@').at(-1)!;
  if (/[${%]/.test(authority) || authority === '') return PORTS[scheme] === undefined ? null : 'hole';
  const [, six, name, port] = /^(?:\[([0-9a-f:.]+)\]|([^:]+))(?::(\d{1,5}))?$/i.exec(authority) ?? [];
  const written = six ?? name;
  if (written === undefined) return null;
  const standard = PORTS[scheme];
  // A scheme of its own, such as file or pvc, names nothing in the network.
  if (standard === undefined && port === undefined) return null;
  const host = six ?? hostOf(written);
  return LOCAL.test(host) ? null : { host, port: port === undefined ? standard! : Number(port) };
}

/** As a browser would read it: 2130706433 is 127.0.0.1. */
function hostOf(written: string): string {
  const url = `http://${written}/`;
  return (URL.canParse(url) ? new URL(url).hostname : written.toLowerCase()).replace(/\.$/, '');
}
