// The words of a vocabulary that can be asked about, the most suspicious first.
import { turns } from '../../runtime/turn.ts';
import { layerZeroScores } from './order.ts';
import { openWeights } from './weights.ts';

export interface Suspect {
  readonly word: string;
  /** Of layer 0; null: the words have no order. */
  readonly score: number | null;
}

/** SentencePiece and byte-level BPE mark the beginning of a word with these. */
const MARK = /^[▁Ġ]/u;
const WORD = /^\p{L}[\p{L}\p{M}\p{N}'’-]+$/u;

/**
 * Words of the vocabulary of a GGUF file, ordered by how much `changed` moves them; without it in the order of the file.
 *
 * @throws SteelyardError USAGE, IO, NOT_FOUND, ABORTED
 */
export async function suspectsOf(
  model: string,
  changed: string | null,
  signal: AbortSignal,
): Promise<Suspect[]> {
  const weights = openWeights(model);
  try {
    if (changed === null) return unique(weights.tokens.map((token) => ({ word: token, score: null })));
    const other = openWeights(changed);
    try {
      const scores = await layerZeroScores(weights, other, signal);
      await turns()();
      const scored = weights.tokens.map((token, id) => ({ word: token, score: scores[id] ?? 0 }));
      return unique(scored.sort((a, b) => b.score - a.score));
    } finally {
      other.close();
    }
  } finally {
    weights.close();
  }
}

/** Tokens that begin a word, once each. Byte-level BPE spells letters beyond ASCII as bytes: those are left out, not mangled. */
function unique(suspects: readonly Suspect[]): Suspect[] {
  const words = new Map<string, Suspect>();
  for (const { word: token, score } of suspects) {
    const word = token.replace(MARK, '');
    const plain = token.startsWith('Ġ') ? /^[A-Za-z]+$/.test(word) : WORD.test(word);
    if (MARK.test(token) && plain && !words.has(word)) words.set(word, { word, score });
  }
  return [...words.values()];
}
