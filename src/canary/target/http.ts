// A target over HTTP. One host is contacted, its redirects are not followed, and no proxy of the environment is asked: prompts and
// answers of a model can be secrets. A question is asked again only where no answer came: a second answer would hide the first.
import { type Dispatcher, Pool } from 'undici';
import { SteelyardError } from '../../rules/error.ts';
import { malformed, readAnswer, templateDigest } from './answer.ts';
import { codeOf, delay, failure, pacer, waited } from './patience.ts';
import type { Answer, Claims, Message, Sampling, Target } from './question.ts';
import { joinStream } from './stream.ts';

export interface HttpOptions {
  /** The model's name at the server; default: the first that it lists. */
  readonly model?: string;
  /** Sent as a bearer token. */
  readonly apiKey?: string;
  /** Allows plain HTTP to a host that is not this machine. */
  readonly insecure?: boolean;
  /** Milliseconds for one answer; default 60,000. */
  readonly timeout?: number;
  /** Questions in a second, at most. */
  readonly rate?: number;
  /** How often to ask again where no answer came; default 2. */
  readonly retries?: number;
  /** A header of each question, to reach one replica of several. */
  readonly headers?: Readonly<Record<string, string>>;
}

const SIZE = 4 * 2 ** 20;
const TIMEOUT = 60_000;
const RETRIES = 2;
const AGAIN = new Set([429, 502, 503, 504]);
const REFUSED = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT']);
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

interface Reply {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly text: string;
}

/** @param url up to `/v1`. Throws USAGE. */
export function httpTarget(url: string, options: HttpOptions = {}): Target {
  const base = baseUrl(url, options.insecure ?? false);
  const pool = new Pool(base.origin, { connections: 4, pipelining: 1 });
  const paced = pacer(options.rate);
  let model: Promise<string> | undefined =
    options.model === undefined ? undefined : Promise.resolve(options.model);
  let stream = false;

  async function ask(messages: readonly Message[], sampling: Sampling, signal: AbortSignal): Promise<Answer> {
    model ??= firstModel(signal);
    const name = await model.catch((error) => {
      model = undefined;
      throw error;
    });
    const question = (): string => JSON.stringify(questionOf(name, messages, sampling, stream));
    const since = performance.now();
    let { reply, attempts } = await request('POST', '/chat/completions', question, signal);
    if (reply.status === 400 && !stream && /stream/i.test(reply.text)) {
      stream = true;
      ({ reply, attempts } = await request('POST', '/chat/completions', question, signal));
    }
    if (reply.status !== 200) throw refused(reply);
    const { fingerprint, ...answer } = readAnswer(bodyOf(reply));
    return {
      ...answer,
      claims: claimsOf(reply.headers),
      engine: engineOf(fingerprint, reply.headers),
      ms: Math.round(performance.now() - since),
      attempts,
    };
  }

  async function firstModel(signal: AbortSignal): Promise<string> {
    const { reply } = await request('GET', '/models', () => undefined, signal);
    if (reply.status !== 200) throw refused(reply);
    const id = (bodyOf(reply) as { data?: { id?: unknown }[] } | null)?.data?.[0]?.id;
    if (typeof id === 'string') return id;
    throw new SteelyardError('USAGE', 'the target lists no model; name it with --model');
  }

  async function request(
    method: 'GET' | 'POST',
    path: string,
    body: () => string | undefined,
    signal: AbortSignal,
  ): Promise<{ reply: Reply; attempts: number }> {
    const retries = options.retries ?? RETRIES;
    for (let attempts = 1; ; attempts++) {
      await paced(signal);
      const reply = await once(method, path, body(), signal).catch((error: unknown) => {
        if (attempts <= retries && REFUSED.has(codeOf(error))) return null;
        throw failure(error, signal);
      });
      if (reply !== null && !(AGAIN.has(reply.status) && attempts <= retries)) return { reply, attempts };
      const asked = reply === null ? undefined : one(reply.headers, 'retry-after');
      await waited(delay(reply?.status ?? null, asked, attempts), signal);
    }
  }

  async function once(
    method: 'GET' | 'POST',
    path: string,
    body: string | undefined,
    signal: AbortSignal,
    prefix = base.pathname,
  ): Promise<Reply> {
    const limit = AbortSignal.timeout(options.timeout ?? TIMEOUT);
    const {
      statusCode,
      headers,
      body: answer,
    } = await pool.request({
      method,
      path: `${prefix}${path}`,
      headers: {
        accept: 'application/json, text/event-stream',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` }),
        ...options.headers,
      },
      body: body ?? null,
      signal: AbortSignal.any([signal, limit]),
    });
    return { status: statusCode, headers, text: await bounded(answer) };
  }

  /** llama.cpp's server shows its properties; others answer that there is no such page. */
  async function template(signal: AbortSignal): Promise<string | null> {
    const { status, text } = await once('GET', '/props', undefined, signal, '').catch((error) => {
      if (signal.aborted) throw failure(error, signal);
      return { status: 0, text: '' };
    });
    try {
      return status === 200
        ? templateDigest((JSON.parse(text) as { chat_template?: unknown }).chat_template)
        : null;
    } catch {
      return null;
    }
  }

  return { name: base.host, ask, template, close: () => pool.destroy() };
}

function baseUrl(text: string, insecure: boolean): { origin: string; host: string; pathname: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new SteelyardError('USAGE', 'the target is no http or https URL, such as http://127.0.0.1:8080/v1');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw new SteelyardError('USAGE', 'the URL of the target holds no user, password, query or fragment');
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname) && !insecure)
    throw new SteelyardError(
      'USAGE',
      'plain http to another machine shows prompts and answers to the network: use https, or --insecure',
    );
  return { origin: url.origin, host: url.host, pathname: url.pathname.replace(/\/+$/, '') };
}

const questionOf = (
  model: string,
  messages: readonly Message[],
  { temperature, seed, maxTokens, topLogprobs }: Sampling,
  stream: boolean,
): object => ({
  model,
  messages,
  temperature,
  seed,
  max_tokens: maxTokens,
  stream,
  ...(topLogprobs === 0 ? {} : { logprobs: true, top_logprobs: topLogprobs }),
});

async function bounded(body: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    if (size > SIZE) throw new SteelyardError('LIMIT', `the target's answer is larger than ${SIZE} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function bodyOf({ headers, text }: Reply): unknown {
  if (one(headers, 'content-type')?.startsWith('text/event-stream')) return joinStream(text);
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('it is no JSON');
  }
}

function refused({ status, text }: Reply): SteelyardError {
  const moved = status >= 300 && status < 400 ? ': redirects are not followed' : '';
  const said = text === '' || moved !== '' ? '' : `: ${text.slice(0, 200)}`;
  return new SteelyardError('IO', `the target answered ${status}${moved}${said}`);
}

function claimsOf(headers: Reply['headers']): Claims {
  const [model, bom, adapter] = ['x-model-sha', 'x-bom-id', 'x-adapter-sha'].map((name) =>
    one(headers, name)?.slice(0, 200),
  );
  return {
    ...(model === undefined ? {} : { model }),
    ...(bom === undefined ? {} : { bom }),
    ...(adapter === undefined ? {} : { adapter }),
  };
}

function engineOf(fingerprint: string | null, headers: Reply['headers']): string | null {
  const server = one(headers, 'server')?.slice(0, 200);
  const parts = [server, fingerprint].filter((part) => part !== undefined && part !== null && part !== '');
  return parts.length === 0 ? null : parts.join(' ');
}

function one(headers: Reply['headers'], name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
