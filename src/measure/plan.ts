// A file's layout → the byte ranges that the native pass takes: the parsed bytes, then the tensors. Pure.
import { dtypeByName } from '../dtype.ts';
import type { Layout, TensorLayout } from '../format/layout.ts';

export interface Plan {
  /** Four numbers per range: start, end, dtype code or -1 for a digest alone, columns or 0 for no row statistics. */
  readonly ranges: Float64Array;
  /** dtype code of each range. */
  readonly dtypes: Int16Array;
  /** For each tensor of the layout its range, or -1: it overlaps an earlier one, and a forward pass reads a byte once. */
  readonly tensors: Int32Array;
}

/** The range of the bytes that were parsed. */
export const PARSED_RANGE = 0;

/**
 * `parsedSize`: bytes from the beginning of the file, within the header, whose digest is wanted on its own.
 * `rows`: row statistics of embeddings and output heads.
 */
export function planRanges(layout: Layout | null, parsedSize: number, rows: boolean): Plan {
  const ranges: number[] = [0, parsedSize, -1, 0];
  const tensors = new Int32Array(layout?.tensors.length ?? 0).fill(-1);
  let position = layout?.headerSize ?? 0;
  layout?.tensors.forEach((tensor, index) => {
    if (tensor.start < position) return;
    tensors[index] = ranges.length / 4;
    const dtype = dtypeByName(tensor.dtype);
    ranges.push(tensor.start, tensor.end, dtype?.code ?? -1, rows ? columnsOf(tensor) : 0);
    position = tensor.end;
  });
  const dtypes = new Int16Array(ranges.length / 4).map((_, range) => ranges[4 * range + 2]!);
  return { ranges: new Float64Array(ranges), dtypes, tensors };
}

// Last name segments before ".weight" under which the common families keep their token embeddings and output heads:
// Llama, Mistral, Qwen, Gemma (embed_tokens, lm_head), GPT-2 (wte, wpe), GPT-NeoX (embed_in, embed_out), BERT
// (word_embeddings, decoder), T5 (shared), GGUF (token_embd, output).
const ROW_NAMES = new Set([
  'embed_tokens',
  'lm_head',
  'wte',
  'wpe',
  'embed_in',
  'embed_out',
  'word_embeddings',
  'decoder',
  'shared',
  'token_embd',
  'output',
]);

/** By its name, a tensor with one row for each token. */
export const isTokenRows = (name: string): boolean => {
  const module = moduleOf(name);
  return module !== undefined && module !== 'wpe' && ROW_NAMES.has(module);
};

const moduleOf = (name: string): string | undefined =>
  name.endsWith('.weight') ? name.split('.').at(-2) : undefined;

/** Elements per row, or 0 where rows are not asked for or do not fall on whole blocks. */
function columnsOf({ name, dtype, shape }: TensorLayout): number {
  const [rows, columns] = shape;
  const module = moduleOf(name);
  if (shape.length !== 2 || rows === 0 || !columns || module === undefined || !ROW_NAMES.has(module))
    return 0;
  const info = dtypeByName(dtype);
  // A complex element is two values, and what is not decoded has no norm.
  if (info?.coverage !== 'values' || dtype === 'C64') return 0;
  return columns % info.blockCount === 0 ? columns : 0;
}
