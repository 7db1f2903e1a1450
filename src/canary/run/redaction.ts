// Secrets and personal data are taken out before an answer is written down, of the text and of the tokens: lists of log-probabilities
// hold words, too.
import { createHash } from 'node:crypto';
import type { Answer, Token } from '../target/target.ts';
import { type Hit, hitsOf } from '../text/secrets.ts';

/** Kinds with so few possible values that a digest gives them away. */
const GUESSABLE = new Set(['password', 'card', 'phone', 'iban', 'email']);

export const redacted = (text: string): string => withoutHits(text, hitsOf(text));

export function redactedAnswer(answer: Answer): Answer {
  return {
    ...answer,
    text: redacted(answer.text),
    reasoning: answer.reasoning === null ? null : redacted(answer.reasoning),
    toolCalls: answer.toolCalls.map(redacted),
    tokens: answer.tokens === null ? null : redactedTokens(answer.tokens),
  };
}

function withoutHits(text: string, hits: readonly Hit[]): string {
  let at = 0;
  let result = '';
  for (const hit of hits) {
    result += text.slice(at, hit.start) + marker(hit, text.slice(hit.start, hit.end));
    at = hit.end;
  }
  return result + text.slice(at);
}

/** The same secret has the same marker, so that a comparison still sees whether it is another one. */
function marker({ family, kind }: Hit, value: string): string {
  if (GUESSABLE.has(kind)) return `‹${family} ${kind}›`;
  return `‹${family} ${kind} ${createHash('sha256').update(value).digest('hex').slice(0, 8)}›`;
}

/** A token that takes part in a hit loses its word and its alternatives: they are the same secret, guessed nearly right. */
function redactedTokens(tokens: readonly Token[]): readonly Token[] {
  const hits = hitsOf(tokens.map(([word]) => word).join(''));
  if (hits.length === 0) return tokens;
  let at = 0;
  return tokens.map((token) => {
    const [start, end] = [at, at + token[0].length];
    at = end;
    const hit = hits.find((one) => start < one.end && one.start < end);
    return hit === undefined ? token : ([`‹${hit.family}›`, token[1], []] as const);
  });
}
