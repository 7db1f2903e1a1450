// An answer of a server, as the OpenAI chat API spells it → facts. A strict reader with bounds: a target is a suspect.
import { createHash } from 'node:crypto';
import { SteelyardError } from '../../rules/error.ts';
import type { Answer, Finish, Token } from './question.ts';

type Read = Pick<Answer, 'text' | 'reasoning' | 'finish' | 'tokens' | 'toolCalls'> & {
  readonly fingerprint: string | null;
};
type Json = Record<string, unknown>;

const TOKENS = 16_384;
const ALTERNATIVES = 64;
const TOKEN_LENGTH = 4096;
const TOOL_CALLS = 128;

/** Throws IO with what is wrong. */
export function readAnswer(json: unknown): Read {
  const body = object(json, 'the answer');
  const choice = object(list(body.choices, 'choices', 16)[0], 'choices[0]');
  const message = object(choice.message, 'choices[0].message');
  return {
    text: optionalText(message.content, 'content') ?? '',
    reasoning: optionalText(message.reasoning_content ?? message.reasoning, 'reasoning_content'),
    finish: finishOf(choice.finish_reason),
    tokens: tokensOf(choice.logprobs),
    toolCalls:
      message.tool_calls == null ? [] : list(message.tool_calls, 'tool_calls', TOOL_CALLS).map(toolCall),
    fingerprint: optionalText(body.system_fingerprint, 'system_fingerprint')?.slice(0, 200) ?? null,
  };
}

function finishOf(reason: unknown): Finish {
  if (reason === 'stop' || reason === 'length') return reason;
  if (reason === 'content_filter') return 'filtered';
  return reason === 'tool_calls' || reason === 'function_call' ? 'tools' : 'other';
}

function tokensOf(logprobs: unknown): Token[] | null {
  if (logprobs == null) return null;
  const { content } = object(logprobs, 'logprobs');
  return content == null ? null : list(content, 'logprobs.content', TOKENS).map(tokenOf);
}

function tokenOf(value: unknown): Token {
  const { token, logprob, top_logprobs } = object(value, 'logprobs.content[]');
  const alternatives = top_logprobs == null ? [] : list(top_logprobs, 'top_logprobs', ALTERNATIVES);
  return [
    word(token),
    number(logprob),
    alternatives.map((one) => {
      const entry = object(one, 'top_logprobs[]');
      return [word(entry.token), number(entry.logprob)] as const;
    }),
  ];
}

function toolCall(value: unknown): string {
  const { function: called } = object(value, 'tool_calls[]');
  const { name, arguments: given } = object(called, 'tool_calls[].function');
  return `${optionalText(name, 'name') ?? ''}(${optionalText(given, 'arguments') ?? ''})`;
}

export const templateDigest = (template: unknown): string | null =>
  typeof template === 'string' ? `sha256:${createHash('sha256').update(template).digest('hex')}` : null;

export const malformed = (what: string): SteelyardError =>
  new SteelyardError('IO', `the target's answer is not as the OpenAI chat API has it: ${what}`);

export function object(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw malformed(`${what} is no object`);
}

export function list(value: unknown, what: string, most: number): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(`${what} is no list`);
  if (value.length > most) throw malformed(`${what} has more than ${most} entries`);
  return value;
}

function optionalText(value: unknown, what: string): string | null {
  if (value == null) return null;
  if (typeof value === 'string') return value;
  throw malformed(`${what} is no text`);
}

function word(value: unknown): string {
  if (typeof value === 'string' && value.length <= TOKEN_LENGTH) return value;
  throw malformed('a token is no text, or too long');
}

/** vLLM gives -9999 and llama.cpp the smallest double for "never"; a JSON null means the same. */
function number(value: unknown): number {
  if (value === null) return -9999;
  if (typeof value !== 'number' || Number.isNaN(value) || value > 1e-3)
    throw malformed('a log-probability is no number below 0');
  return Math.max(Math.min(value, 0), -9999);
}
