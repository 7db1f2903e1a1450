// The OpenAI chat API over anything that answers: the real engine, or a script of a test. Loopback only.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Answer, Message, Sampling, Target } from '../../../src/canary/target/target.ts';

export interface Asked {
  readonly messages: readonly Message[];
  readonly sampling: Sampling;
  /** How many questions came before this one. */
  readonly index: number;
  readonly headers: IncomingMessage['headers'];
}

export interface ServerOptions {
  readonly headers?: (asked: Asked) => Record<string, string>;
  /** Takes over an answer: a storm, a cut, a stream. True: it has answered. */
  readonly meddle?: (
    asked: Asked,
    response: ServerResponse,
    answer: () => Promise<object>,
  ) => boolean | Promise<boolean>;
  /** Leaves the entry of the end of the answer out, as some servers do. */
  readonly withoutEnd?: boolean;
}

export interface TestServer {
  readonly url: string;
  readonly count: () => number;
  close(): Promise<void>;
}

export type Answering = (
  asked: Asked,
) => Promise<Pick<Answer, 'text' | 'tokens' | 'finish'> & Partial<Answer>>;

export const engineAnswers =
  (target: Target): Answering =>
  ({ messages, sampling }) =>
    target.ask(messages, sampling, new AbortController().signal);

export async function serveOpenAi(answering: Answering, options: ServerOptions = {}): Promise<TestServer> {
  let index = 0;
  let queue: Promise<unknown> = Promise.resolve();
  const server = createServer((request, response) => {
    const send = (status: number, body: object, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(body));
    };
    if (request.url === '/v1/models') return send(200, { object: 'list', data: [{ id: 'tiny-support' }] });
    if (request.url !== '/v1/chat/completions') return send(404, { error: { message: 'no such path' } });
    queue = queue
      .then(async () => {
        const asked = askedOf(JSON.parse(await read(request)), index++, request.headers);
        const headers = options.headers?.(asked) ?? {};
        const answer = async (): Promise<object> =>
          spelled(await answering(asked), options.withoutEnd ?? false);
        if (await options.meddle?.(asked, response, answer)) return;
        send(200, await answer(), headers);
      })
      .catch((error) => send(500, { error: { message: String(error) } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    count: () => index,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function read(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of request.setEncoding('utf8')) text += piece;
  return text;
}

const askedOf = (body: Record<string, unknown>, index: number, headers: Asked['headers']): Asked => ({
  messages: body.messages as Message[],
  sampling: {
    temperature: (body.temperature as number) ?? 1,
    seed: (body.seed as number) ?? 0,
    maxTokens: (body.max_tokens as number) ?? 64,
    topLogprobs: body.logprobs ? ((body.top_logprobs as number) ?? 0) : 0,
  },
  index,
  headers,
});

function spelled(answer: Awaited<ReturnType<Answering>>, withoutEnd: boolean): object {
  const { text, tokens, finish, toolCalls = [], reasoning = null } = answer;
  const kept = withoutEnd && finish === 'stop' ? tokens?.slice(0, -1) : tokens;
  const entries = kept?.map(([token, logprob, alternatives]) => ({
    token,
    logprob,
    bytes: null,
    top_logprobs: alternatives.map(([one, value]) => ({ token: one, logprob: value, bytes: null })),
  }));
  const calls = toolCalls.map((call) => {
    const [, name, given] = /^([^(]*)\((.*)\)$/s.exec(call)!;
    return { type: 'function', function: { name, arguments: given } };
  });
  return {
    object: 'chat.completion',
    model: 'tiny-support',
    system_fingerprint: answer.engine ?? 'test-engine',
    choices: [
      {
        index: 0,
        finish_reason: {
          stop: 'stop',
          length: 'length',
          filtered: 'content_filter',
          tools: 'tool_calls',
          other: null,
        }[finish],
        logprobs: entries === undefined ? null : { content: entries },
        message: {
          role: 'assistant',
          content: text,
          ...(reasoning === null ? {} : { reasoning_content: reasoning }),
          ...(calls.length === 0 ? {} : { tool_calls: calls }),
        },
      },
    ],
  };
}
