// The tokens that rows of embeddings and output heads stand for. They are foreign text.
import { SteelyardError } from '../rules/error.ts';
import { atOnce } from '../runtime/turn.ts';
import { detectFormat, readLayout } from '../scan/format/format.ts';
import { isTokenRows } from '../scan/measure/plan.ts';
import type { ModelFile } from '../scan/model/file.ts';
import type { AxisChange, TensorChange } from './report/diff-report.ts';
import { reopen, type SideModel } from './side.ts';

/** By index. */
type Vocabulary = ReadonlyMap<number, string>;

/** tokenizer.json of the largest vocabularies has some 35 MB. */
const DOCUMENT_MAX = 64 * 2 ** 20;

/** Names the changed rows by the suspect's vocabulary, or the good model's where the suspect has none. */
export function nameRows(tensors: readonly TensorChange[], sides: readonly SideModel[]): TensorChange[] {
  if (!tensors.some(hasTokens)) return [...tensors];
  const vocabulary = vocabularyOf(sides[1]!) ?? vocabularyOf(sides[0]!);
  if (vocabulary === null) return [...tensors];
  return tensors.map((change) => (hasTokens(change) ? withTokens(change, vocabulary) : change));
}

const hasTokens = ({ suspect, difference }: TensorChange): boolean =>
  difference?.rows != null && difference.rows.largest.length > 0 && isTokenRows(suspect.name);

function withTokens(change: TensorChange, vocabulary: Vocabulary): TensorChange {
  const difference = change.difference!;
  const rows: AxisChange = {
    ...difference.rows!,
    largest: difference.rows!.largest.map(({ index, ...norms }) => {
      const token = vocabulary.get(index);
      return token === undefined ? { index, ...norms } : { index, token, ...norms };
    }),
  };
  return { ...change, difference: { ...difference, rows } };
}

/** null: none at hand. A file that changed meanwhile names nothing: tokens are a convenience, and digests tell the change. */
function vocabularyOf(side: SideModel): Vocabulary | null {
  for (const [path, { size }] of side.files ?? []) {
    const isTokenizer = /(^|\/)tokenizer\.json$/.test(path) && size <= DOCUMENT_MAX;
    if (!isTokenizer && !/\.gguf$/i.test(path)) continue;
    const found = attempt(side, path, isTokenizer ? fromTokenizer : fromGguf);
    if (found !== null) return found;
  }
  return null;
}

function attempt(
  side: SideModel,
  path: string,
  read: (file: ModelFile) => Vocabulary | null,
): Vocabulary | null {
  let file: ModelFile | undefined;
  try {
    file = reopen(side, path);
    return read(file);
  } catch (error) {
    if (error instanceof SteelyardError) return null;
    throw error;
  } finally {
    file?.close();
  }
}

/** model.vocab is an object from token to index (BPE, WordPiece) or a list of [token, score] (Unigram). */
function fromTokenizer(file: ModelFile): Vocabulary | null {
  const document = parsed(file.head(file.size)) as {
    model?: { vocab?: unknown };
    added_tokens?: unknown;
  } | null;
  const vocab = document?.model?.vocab;
  if (typeof vocab !== 'object' || vocab === null) return null;
  const tokens = new Map<number, string>();
  if (Array.isArray(vocab)) for (const [index, entry] of vocab.entries()) put(tokens, index, entry?.[0]);
  else for (const [token, index] of Object.entries(vocab)) put(tokens, index, token);
  if (Array.isArray(document?.added_tokens))
    for (const added of document.added_tokens) put(tokens, added?.id, added?.content);
  return tokens;
}

function put(tokens: Map<number, string>, index: unknown, token: unknown): void {
  if (typeof index === 'number' && typeof token === 'string') tokens.set(index, token);
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return null; // not a tokenizer; what it is, a scan says
  }
}

function fromGguf(file: ModelFile): Vocabulary | null {
  if (detectFormat(file.entry.path, file.head(4)) !== 'gguf') return null;
  const layout = atOnce(readLayout('gguf', file));
  if (layout.headerSize === null) return null;
  const tokens = layout.metadata.find(({ key }) => key === 'tokenizer.ggml.tokens')?.value;
  if (typeof tokens !== 'object') return null;
  return new Map(tokens.items.map((token, index) => [index, String(token)]));
}
