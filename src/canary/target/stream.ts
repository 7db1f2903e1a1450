// A server that only streams: server-sent events of chunks → the one answer that they add up to.
import { list, malformed, object } from './answer.ts';

type Json = Record<string, unknown>;

/** The text of an event stream, as an answer that did not stream would have said it. Throws IO. */
export function joinStream(text: string): Json {
  const joined = { content: '', reasoning: '', finish: null as unknown, logprobs: [] as unknown[] };
  const calls = new Map<unknown, { name: string; arguments: string }>();
  let fingerprint: unknown = null;
  let done = false;
  for (const data of events(text)) {
    if (data === '[DONE]') {
      done = true;
      break;
    }
    const chunk = object(parsed(data), 'a chunk');
    fingerprint ??= chunk.system_fingerprint;
    const [first] = list(chunk.choices ?? [], 'choices', 16);
    if (first === undefined) continue;
    const choice = object(first, 'choices[0]');
    const delta = object(choice.delta ?? {}, 'choices[0].delta');
    joined.content += said(delta.content);
    joined.reasoning += said(delta.reasoning_content ?? delta.reasoning);
    joined.finish = choice.finish_reason ?? joined.finish;
    if (choice.logprobs != null)
      joined.logprobs.push(...list(object(choice.logprobs, 'logprobs').content ?? [], 'logprobs', 16_384));
    for (const call of list(delta.tool_calls ?? [], 'tool_calls', 128))
      addCall(calls, object(call, 'tool_calls[]'));
  }
  // A stream that breaks off was cut by somebody between us and the model: half an answer is none.
  if (!done && joined.finish === null) throw malformed('the stream ended before the answer did');
  return {
    system_fingerprint: fingerprint,
    choices: [
      {
        finish_reason: joined.finish,
        logprobs: joined.logprobs.length === 0 ? null : { content: joined.logprobs },
        message: {
          content: joined.content,
          reasoning_content: joined.reasoning === '' ? null : joined.reasoning,
          tool_calls: calls.size === 0 ? null : [...calls.values()].map((one) => ({ function: one })),
        },
      },
    ],
  };
}

function* events(text: string): Iterable<string> {
  for (const event of text.split(/\r?\n\r?\n/)) {
    const data = event
      .split(/\r?\n/)
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).replace(/^ /, ''));
    if (data.length > 0) yield data.join('\n');
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('a chunk is no JSON');
  }
}

const said = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Name and arguments of a call arrive in pieces, told apart by their index. */
function addCall(calls: Map<unknown, { name: string; arguments: string }>, call: Json): void {
  const one = calls.get(call.index) ?? { name: '', arguments: '' };
  const called = object(call.function ?? {}, 'tool_calls[].function');
  one.name += said(called.name);
  one.arguments += said(called.arguments);
  if (calls.size > 128) throw malformed('too many tool calls');
  calls.set(call.index, one);
}
