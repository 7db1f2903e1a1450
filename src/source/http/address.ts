// Which addresses a connection may go to. A name is checked on the address that is connected to, not on a look-up before it: a
// name server can answer twice (DNS rebinding).
import { lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { SteelyardError } from '../../rules/error.ts';

const PRIVATE = blockList([
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
  ['::', 127], // unspecified and loopback
  ['fc00::', 7],
  ['ff00::', 8],
]);
/** Where clouds keep the credentials of a machine. No model is served from there. */
const LINK_LOCAL = blockList([
  ['169.254.0.0', 16],
  ['fe80::', 10],
]);

function blockList(ranges: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [address, bits] of ranges) list.addSubnet(address, bits, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return list;
}

type AddressKind = 'public' | 'private' | 'link-local';

/** Of a literal address. IPv4 in IPv6 clothes counts as what it is. */
export function addressKind(address: string): AddressKind {
  const plain = embedded(address);
  const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4';
  if (LINK_LOCAL.check(plain, family)) return 'link-local';
  return PRIVATE.check(plain, family) ? 'private' : 'public';
}

/** ::ffff:127.0.0.1, and the same behind NAT64 (64:ff9b::/96): the last four bytes say where it leads. */
function embedded(address: string): string {
  if (isIP(address) !== 6) return address;
  const host = new URL(`http://[${address.split('%')[0]}]`).hostname.slice(1, -1);
  const [, high, low] = /^(?:::ffff:|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host) ?? [];
  if (high === undefined || low === undefined) return address.split('%')[0]!;
  const bits = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return bits.flatMap((part) => [part >> 8, part & 255]).join('.');
}

/** The literal address of a URL's host, without brackets; null: a name. */
export function literalOf({ hostname }: URL): string | null {
  const host = hostname.replace(/^\[|\]$/g, '');
  return isIP(host) === 0 ? null : host;
}

export const isLoopback = (url: URL): boolean => {
  const literal = literalOf(url);
  return literal === '::1' || (literal?.startsWith('127.') ?? false);
};

/** A look-up that refuses every address that `allowed` refuses; `seen` is told what is connected to. */
export function guardedLookup(
  allowed: (kind: AddressKind) => boolean,
  seen: (kind: AddressKind) => void,
  look: LookupFunction = systemLookup as LookupFunction,
): LookupFunction {
  return (hostname, options, callback) => {
    look(hostname, options, (error, found, family) => {
      if (error) return callback(error, found, family);
      const addresses = typeof found === 'string' ? [found] : found.map(({ address }) => address);
      for (const address of addresses) {
        const kind = addressKind(address);
        if (!allowed(kind)) return callback(privateAddress(hostname, kind) as Error, found, family);
        seen(kind);
      }
      callback(null, found, family);
    });
  };
}

export const privateAddress = (host: string, kind: AddressKind): SteelyardError =>
  new SteelyardError(
    'SOURCE_REDIRECT',
    `${host} is at a ${kind} address, where only a source that you name yourself may be; name it, or ask who sent us there`,
  );
