// One entry of a declaration → a destination with one spelling. Two readers that understand an address differently are a hole:
// what has several meanings is refused.
import { getPublicSuffix, parse } from 'tldts';
import { contains, isRange, isWide, METADATA } from '../network/network.ts';

/** A name and a port, or a range of addresses and its ports. */
export type Destination = NameDestination | RangeDestination;

export interface NameDestination {
  readonly kind: 'name';
  /** Lower case, ASCII, without a final dot; `*.` at its beginning stands for exactly one label. */
  readonly host: string;
  readonly port: number;
  readonly scheme: 'https' | 'http';
  /** What no target here can enforce inside of TLS; null: none was written. */
  readonly path: string | null;
  /** The name ends in no public suffix that the registries know: it is expected to resolve to a private address. */
  readonly internal: boolean;
}

export interface RangeDestination {
  readonly kind: 'range';
  readonly range: string;
  readonly ports: readonly number[];
}

/** What is wrong with an entry; the message says it. */
export class Unclear extends Error {}

export function nameDestination(text: string, insecure: boolean): NameDestination {
  if (text === '*') throw new Unclear('"*" allows everything: name what is needed');
  if (/[\s\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(text))
    throw new Unclear('a URL has no blanks and no control characters');
  const scheme = /^(https?):\/\//.exec(text)?.[1] as 'https' | 'http' | undefined;
  if (scheme === undefined) throw new Unclear('a URL begins with https:// (or http://, with insecure: true)');
  if (scheme === 'http' && !insecure)
    throw new Unclear('http:// has no TLS: write {url: …, insecure: true}, or https://');
  if (scheme === 'https' && insecure) throw new Unclear('insecure: true is for http:// only');
  if (!URL.canParse(text)) throw new Unclear('not a URL');
  const url = new URL(text);
  const authority = text.slice(scheme.length + 3).split(/[/?#]/)[0]!;
  if (url.username !== '' || url.password !== '' || authority.includes('@'))
    throw new Unclear('no user in a URL');
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(text))
    throw new Unclear('no query and no fragment in a URL');
  const host = url.hostname.replace(/\.$/, '');
  assertHost(host);
  return {
    kind: 'name',
    host,
    port: url.port === '' ? (scheme === 'https' ? 443 : 80) : portOf(url.port),
    scheme,
    path: url.pathname === '/' ? null : url.pathname,
    internal: parse(host.replace(/^\*\./, ''), { allowPrivateDomains: true }).isIcann !== true,
  };
}

function portOf(text: string): number {
  if (text === '0') throw new Unclear('there is no port 0');
  return Number(text);
}

function assertHost(host: string): void {
  const address = host.startsWith('[') || /^\d+(?:\.\d+){3}$/.test(host);
  if (address) throw new Unclear('an address instead of a name: write {cidr: …, ports: […]}');
  const labels = host.split('.');
  const rest = labels[0] === '*' ? labels.slice(1) : labels;
  if (rest.some((label) => label.includes('*')))
    throw new Unclear('a wildcard is the whole first label: *.example.com');
  if (host.length > 253 || rest.length === 0 || rest.some((label) => !LABEL.test(label)))
    throw new Unclear('not the name of a host');
  const parent = rest.join('.');
  if (labels[0] !== '*') return;
  const suffix = getPublicSuffix(parent, { allowPrivateDomains: true });
  if (suffix === parent) throw new Unclear(`anybody can have a name below ${parent}: name the hosts`);
}

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

export function rangeDestination(range: string, ports: readonly number[]): RangeDestination {
  if (!isRange(range))
    throw new Unclear('not a range of addresses: 10.1.2.0/24, with zeros behind the prefix');
  if (isWide(range)) throw new Unclear('the range has so many addresses that it restricts nothing');
  if (METADATA.some((address) => contains(range, address)))
    throw new Unclear(
      "the range holds the cloud's metadata service, which gives credentials to whoever asks",
    );
  if (new Set(ports).size < ports.length) throw new Unclear('a port stands there twice');
  return { kind: 'range', range: range.toLowerCase(), ports: [...ports].sort((a, b) => a - b) };
}

/** Whether a name is that of a destination: the same, or one label in the place of the wildcard. */
export function covers(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === host;
  const label = host.slice(0, host.length - pattern.length + 1);
  return host.endsWith(pattern.slice(1)) && label !== '' && !label.includes('.');
}
