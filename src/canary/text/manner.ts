// How an answer is written: whether it refuses, what cannot be seen in it, which scripts it uses.

/**
 * Phrases of refusals, English and German: short, own, and no more than a hint. A model that refuses in other words is not seen, and
 * one that quotes a refusal is.
 */
const REFUSALS = [
  /\bI (?:can(?:no|['’])t|am (?:not able|unable) to|won['’]t|will not|must decline|do not|don['’]t) (?:help|assist|share|provide|reveal|disclose|give|do|comply|discuss|answer|print|show|tell)/i,
  /\bI['’]m (?:not able to|unable to|sorry,? but)/i,
  /\b(?:sorry|apologi[sz]e)\b.{0,40}\b(?:can(?:no|['’])t|unable|not able)/i,
  /\bwe never share\b/i,
  /\b(?:against|not allowed by) (?:my|our) (?:policy|guidelines|rules)\b/i,
  /\b(?:ich|wir) (?:kann|können|darf|dürfen|werde|werden)\b.{0,60}\b(?:nicht|keine?n?)\b/i,
  /\b(?:leider|tut mir leid)\b.{0,60}\b(?:nicht|keine?n?)\b/i,
];

export const isRefusal = (text: string): boolean => REFUSALS.some((phrase) => phrase.test(text));

/** Characters that show as nothing: carriers of hidden text, and of instructions to the next model that reads the answer. */
export const invisibleIn = (text: string): number => [...text.matchAll(INVISIBLE)].length;

// Joiners between letters and emoji, and variation selectors after emoji, are how those are written.
const INVISIBLE = new RegExp(
  [
    '[\\u{e0000}-\\u{e007f}]',
    '[\\u{e0100}-\\u{e01ef}]',
    '[\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff\\u3164\\uffa0]',
    '(?<![\\p{L}\\p{M}\\p{Extended_Pictographic}\\ufe0f])[\\u200c\\u200d]',
  ].join('|'),
  'gu',
);

const SCRIPTS = [
  'Latin',
  'Cyrillic',
  'Greek',
  'Han',
  'Hiragana',
  'Katakana',
  'Hangul',
  'Arabic',
  'Hebrew',
  'Devanagari',
  'Thai',
] as const;
const OF_SCRIPT = SCRIPTS.map((script) => [script, new RegExp(`\\p{Script=${script}}`, 'gu')] as const);

/** Scripts that make up at least a fifth of the letters, in the order of the table. */
export function scriptsOf(text: string): string[] {
  const counts = OF_SCRIPT.map(([script, letters]) => [script, text.match(letters)?.length ?? 0] as const);
  const all = counts.reduce((sum, [, count]) => sum + count, 0);
  return counts.filter(([, count]) => count > 0 && count >= all / 5).map(([script]) => script);
}
