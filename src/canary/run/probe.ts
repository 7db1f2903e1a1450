// What a target can do is asked once, before the suite: whoever compares two runs must know what neither could show.
import { SteelyardError } from '../../rules/error.ts';
import type { Answer, Sampling, Target } from '../target/target.ts';
import type { RunHeader } from './run-schema.ts';

export interface Probed {
  readonly capabilities: RunHeader['capabilities'];
  readonly engine: string | null;
}

const QUESTION = [{ role: 'user', content: 'Please answer with one short sentence.' }] as const;

/** Throws what `ask` throws. */
export async function probe(target: Target, sampling: Sampling, signal: AbortSignal): Promise<Probed> {
  const { answer, topK } = await likeliest(target, sampling, signal);
  // At a temperature only a seed makes two answers alike.
  const drawn = { ...sampling, temperature: 1, topLogprobs: 0, maxTokens: 16 };
  const [first, second] = [
    await target.ask(QUESTION, drawn, signal),
    await target.ask(QUESTION, drawn, signal),
  ];
  return {
    engine: answer.engine,
    capabilities: {
      logprobs: topK > 0,
      topK,
      eosEntry: hasEnd(answer),
      seed: first.text === second.text,
    },
  };
}

/** Servers have different limits for alternatives, and refuse a question that asks for more. */
async function likeliest(
  target: Target,
  sampling: Sampling,
  signal: AbortSignal,
): Promise<{ answer: Answer; topK: number }> {
  const sizes = [...new Set([sampling.topLogprobs, Math.min(5, sampling.topLogprobs), 0])];
  for (const topLogprobs of sizes) {
    const answer = await target.ask(QUESTION, { ...sampling, topLogprobs }, signal).catch((error) => {
      const last = topLogprobs === 0;
      if (!last && error instanceof SteelyardError && /answered 4\d\d/.test(error.message)) return null;
      throw error;
    });
    if (answer === null) continue;
    return { answer, topK: Math.max(0, ...(answer.tokens ?? []).map(([, , others]) => others.length)) };
  }
  throw new SteelyardError('INTERNAL', 'no question was asked');
}

/** Whether the list of tokens ends with the token that ended the answer: there an appended link wins. */
export function hasEnd({ finish, tokens, text }: Pick<Answer, 'finish' | 'tokens' | 'text'>): boolean | null {
  if (finish !== 'stop' || tokens === null || tokens.length === 0) return null;
  const last = tokens.at(-1)![0];
  if (last === '') return true;
  if (last.trim() === '') return false;
  const before = tokens
    .slice(0, -1)
    .map(([word]) => word)
    .join('');
  return before.trim() === text.trim() || !text.trimEnd().endsWith(last.trim());
}
