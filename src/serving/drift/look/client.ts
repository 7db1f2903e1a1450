// One bounded request to a target: no redirect is followed, nothing larger is read, nobody waits longer.
import { Agent, request } from 'undici';
import { inert } from '../../../document/text/inert.ts';

/** Answers of targets. */
const MOST = 4 * 2 ** 20;
const MILLISECONDS = 10_000;

export interface Answer {
  readonly status: number;
  /** A header that was sent twice has both values, joined: it equals neither. */
  header(name: string): string | null;
  readonly body: Buffer;
}

export interface Question {
  readonly method?: 'GET' | 'POST' | 'PATCH';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Answers of models take longer. */
  readonly milliseconds?: number;
}

/** Nothing is known about the target: neither that it is as released nor that it is not. */
export class NoAnswer extends Error {
  readonly state: 'unreachable' | 'timeout';

  constructor(state: 'unreachable' | 'timeout', message: string) {
    super(message);
    this.state = state;
  }
}

export interface Client {
  /** @throws NoAnswer, or what the signal was aborted with. */
  ask(url: string, question?: Question): Promise<Answer>;
  close(): Promise<void>;
}

export interface Tls {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
}

export function clientOf(signal: AbortSignal, tls: Tls = {}): Client {
  const agent = new Agent({
    maxResponseSize: MOST,
    connections: 4,
    pipelining: 1,
    connect: { ...tls, timeout: 5000 },
  });
  return {
    close: () => agent.destroy(),
    ask: async (url, { method = 'GET', headers = {}, body, milliseconds = MILLISECONDS } = {}) => {
      signal.throwIfAborted();
      const ended = new AbortController();
      const stop = (): void => ended.abort();
      const timer = setTimeout(stop, milliseconds);
      signal.addEventListener('abort', stop);
      try {
        const answer = await request(url, {
          method,
          dispatcher: agent,
          signal: ended.signal,
          headers: { 'x-steelyard-probe': 'drift', accept: 'application/json', ...headers },
          ...(body === undefined ? {} : { body }),
        });
        const bytes = Buffer.from(await answer.body.arrayBuffer());
        return { status: answer.statusCode, body: bytes, header: (name) => joined(answer.headers[name]) };
      } catch (error) {
        signal.throwIfAborted();
        throw ended.signal.aborted || (error as { code?: string }).code === 'UND_ERR_CONNECT_TIMEOUT'
          ? new NoAnswer('timeout', `no answer within ${milliseconds / 1000} s`)
          : new NoAnswer('unreachable', reason(error));
      } finally {
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
      }
    },
  };
}

const joined = (value: string | string[] | undefined): string | null =>
  value === undefined ? null : Array.isArray(value) ? value.join(', ') : value;

function reason(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return inert(code ?? message ?? String(error));
}

/** JSON that was expected, or undefined: what a target serves instead is not ours to complain about. */
export function jsonOf({ body }: Answer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
