// Proof from where the server runs: allowed names connect through the proxy, all others are refused within a second, and nothing goes
// round it. Connections are opened and closed; not a byte is sent behind them.
import { lookup } from 'node:dns/promises';
import { connect, isIP, type Socket } from 'node:net';
import { SteelyardError } from '../../rules/error.ts';
import { contains } from '../network/network.ts';
import { allowing, type Egress } from './declaration.ts';
import type { NameDestination } from './destination.ts';

interface Address {
  readonly host: string;
  readonly port: number;
}

interface ProbeOptions {
  readonly proxy: { readonly host: string; readonly port: number };
  /** Addresses that are known to listen, and must not be reached past the proxy: `198.51.100.7:443`. */
  readonly direct: readonly Address[];
  /** Addresses that must not be reached, and of which nobody knows whether they are there. */
  readonly others: readonly Address[];
  /** Milliseconds in which a refusal must come. */
  readonly within: number;
  readonly signal: AbortSignal;
}

export interface Probed {
  /** `CONNECT docs.internal:443`, `past the proxy: docs.internal:443`. */
  readonly what: string;
  readonly expected: 'allowed' | 'denied' | 'unreachable';
  readonly outcome: 'holds' | 'broken' | 'unknown';
  readonly answer: string;
  readonly milliseconds: number;
}

/** An allowed name may be slow; it need not even be up. */
const ALLOWED_WITHIN = 10_000;

export async function probe(egress: Egress, options: ProbeOptions): Promise<Probed[]> {
  const names = egress.allow.filter((one): one is NameDestination => one.kind === 'name');
  const results: Probed[] = [];
  for (const one of names) results.push(await throughAllowed(concrete(one), one.port, options));
  for (const authority of deniedSet(egress, names)) results.push(await throughDenied(authority, options));
  const past = [
    ...names.map((one) => ({ host: concrete(one), port: one.port })),
    ...options.others,
    ...options.direct,
  ];
  for (const { host, port } of past) results.push(await pastProxy(host, port, options));
  return results;
}

/** A name below a wildcard that nobody has. */
const concrete = ({ host }: NameDestination): string => host.replace(/^\*/, 'steelyard-probe');

/** Addresses of documentation (RFC 5737, RFC 3849) in each spelling that a resolver takes, and those that must never answer. */
const LITERALS = [
  { authority: '203.0.113.1:443', address: '203.0.113.1' },
  { authority: '3405803777:443', address: '203.0.113.1' },
  { authority: '0xcb007101:443', address: '203.0.113.1' },
  { authority: '[2001:db8::1]:443', address: '2001:db8::1' },
  { authority: '127.0.0.1:443', address: '127.0.0.1' },
  { authority: '169.254.169.254:443', address: '169.254.169.254' },
] as const;

/** One of each way to say a destination that is not allowed. */
function deniedSet({ allow }: Egress, names: readonly NameDestination[]): string[] {
  const [first] = names;
  const host = first === undefined ? undefined : concrete(first);
  const below = host === undefined ? [] : [`a.steelyard-probe.${host}`, `${host}.steelyard-probe.example`];
  const others = ['steelyard-probe.example', ...below].filter(
    (one) => allowing({ allow }, one, 443) === undefined,
  );
  const port =
    host === undefined
      ? undefined
      : [22, 2222, 9].find((one) => allowing({ allow }, host, one) === undefined);
  const literals = LITERALS.filter(
    ({ address }) =>
      !allow.some((one) => one.kind === 'range' && one.ports.includes(443) && contains(one.range, address)),
  );
  return [
    ...others.map((one) => `${one}:443`),
    ...(host === undefined || port === undefined ? [] : [`${host}:${port}`]),
    ...literals.map(({ authority }) => authority),
  ];
}

async function throughAllowed(host: string, port: number, options: ProbeOptions): Promise<Probed> {
  const answer = await ask(`${host}:${port}`, options, ALLOWED_WITHIN);
  const what = `CONNECT ${host}:${port}`;
  const { status } = answer;
  if (status === null) return { what, expected: 'allowed', outcome: 'unknown', ...said(answer) };
  const refused = status === 403 || status === 407;
  // 502 to 504: the proxy let it through, and nobody is there now.
  const known = (status >= 200 && status < 300) || (status >= 502 && status <= 504);
  return {
    what,
    expected: 'allowed',
    outcome: refused ? 'broken' : known ? 'holds' : 'unknown',
    ...said(answer),
  };
}

async function throughDenied(authority: string, options: ProbeOptions): Promise<Probed> {
  const answer = await ask(authority, options, options.within);
  const what = `CONNECT ${authority}`;
  const { status } = answer;
  const common = { what, expected: 'denied', ...said(answer) } as const;
  if (status === null) return { ...common, outcome: answer.connected ? 'broken' : 'unknown' };
  // 400: the proxy does not take it for a destination at all.
  return { ...common, outcome: status === 403 || status === 407 || status === 400 ? 'holds' : 'broken' };
}

interface Answer {
  /** null: none came. */
  readonly status: number | null;
  /** The proxy itself was reached. */
  readonly connected: boolean;
  readonly text: string;
  readonly milliseconds: number;
}

const said = ({ text, milliseconds }: Answer): { answer: string; milliseconds: number } => ({
  answer: text,
  milliseconds,
});

/** CONNECT, the status line of the answer, and the end. */
function ask(authority: string, { proxy, signal }: ProbeOptions, within: number): Promise<Answer> {
  return opened(proxy.host, proxy.port, signal, within, (socket, settle) => {
    let text = '';
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1').slice(0, 4096);
      const status = /^HTTP\/1\.[01] (\d{3})(?: [^\r\n]*)?\r\n/.exec(text)?.[1];
      if (status !== undefined) settle(Number(status), `answered ${status}`);
      else if (text.length >= 4096 || text.includes('\n'))
        settle(null, 'answered something that is not HTTP');
    });
    socket.on('end', () => settle(null, 'closed without an answer'));
  });
}

type Settle = (status: number | null, text: string) => void;

function opened(
  host: string,
  port: number,
  signal: AbortSignal,
  within: number,
  then: (socket: Socket, settle: Settle) => void,
): Promise<Answer> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    let connected = false;
    const socket = connect({ host, port });
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.destroy();
    };
    const settle: Settle = (status, text) => {
      end();
      resolve({ status, connected, text, milliseconds: Math.round(performance.now() - begun) });
    };
    const abort = (): void => {
      end();
      reject(new SteelyardError('ABORTED', 'the probe was aborted'));
    };
    const timer = setTimeout(() => settle(null, `no answer in ${within} ms`), within);
    signal.addEventListener('abort', abort, { once: true });
    socket.on('connect', () => {
      connected = true;
      then(socket, settle);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => settle(null, error.code ?? 'failed'));
    if (signal.aborted) abort();
  });
}

/**
 * Past the proxy. A name that cannot be looked up proves nothing about its address: then an address that is known to listen must
 * have been tried. Nor does a refusal: it may be the host's own.
 */
async function pastProxy(host: string, port: number, options: ProbeOptions): Promise<Probed> {
  const { signal, within, direct } = options;
  const shown = isIP(host) === 6 ? `[${host}]` : host;
  const common = { what: `past the proxy: ${shown}:${port}`, expected: 'unreachable' } as const;
  const address = isIP(host) > 0 ? host : await lookedUp(host, within);
  if (address === null) {
    const outcome = direct.some((one) => isIP(one.host) > 0) ? 'holds' : 'unknown';
    return { ...common, outcome, answer: 'the name cannot be looked up', milliseconds: 0 };
  }
  const answer = await opened(address, port, signal, within, (_, settle) => settle(0, 'connected'));
  const outcome = answer.connected ? 'broken' : answer.text === 'ECONNREFUSED' ? 'unknown' : 'holds';
  return { ...common, outcome, ...said(answer) };
}

async function lookedUp(host: string, within: number): Promise<string | null> {
  const late = new Promise<null>((resolve) => setTimeout(resolve, within, null).unref());
  const found = lookup(host).then(
    ({ address }) => address,
    () => null,
  );
  return Promise.race([found, late]);
}
