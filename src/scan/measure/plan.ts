// A file's layout → the byte ranges that the native pass takes: the parsed bytes, then the tensors. Pure.
import { createHash } from 'node:crypto';
import { dtypeByName } from '../dtype.ts';
import type { Layout, TensorLayout } from '../format/layout.ts';

/** What is measured only where it is asked for. */
export interface Wanted {
  /** Norm and digest of each row of embeddings and output heads. */
  readonly rows: boolean;
  /** A linear sketch of each 2-D tensor. */
  readonly sketch: boolean;
  /** Traces of payloads; traces.ts. */
  readonly forensics: boolean;
}

export const wantedOf = ({ rows = false, sketch = false, forensics = false }: Partial<Wanted>): Wanted => ({
  rows,
  sketch,
  forensics,
});

/** Numbers per range of a plan. */
export const RANGE_SIZE = 7;

export interface Plan {
  /**
   * RANGE_SIZE numbers per range: start, end, dtype code or -1 for a digest alone, columns, what is wanted of them (1: norms and
   * digests of rows, 2: a sketch, 4: forensics), the low and high half of the sketch's seed. Shared memory: of a plan of 100,000
   * ranges a worker gets no copy.
   */
  readonly ranges: Float64Array;
  /** dtype code of each range. */
  readonly dtypes: Int16Array;
  /** For each tensor of the layout its range, or -1: it overlaps an earlier one, and a forward pass reads a byte once. */
  readonly tensors: Int32Array;
}

/** The range of the bytes that were parsed. */
export const PARSED_RANGE = 0;

/** `parsedSize`: bytes from the beginning of the file, within the header, whose digest is wanted on its own. */
export function planRanges(layout: Layout | null, parsedSize: number, wanted: Wanted): Plan {
  const all = layout?.tensors ?? [];
  const ranges = new Float64Array(new SharedArrayBuffer(8 * RANGE_SIZE * (all.length + 1)));
  const dtypes = new Int16Array(all.length + 1);
  const tensors = new Int32Array(all.length).fill(-1);
  let count = 0;
  const put = (start: number, end: number, dtype: number, extra: Extras): void => {
    const at = RANGE_SIZE * count;
    ranges[at] = start;
    ranges[at + 1] = end;
    ranges[at + 2] = dtype;
    if (extra !== NOTHING) ranges.set(extra, at + 3);
    dtypes[count++] = dtype;
  };
  put(0, parsedSize, -1, NOTHING);
  let position = layout?.headerSize ?? 0;
  all.forEach((tensor, index) => {
    if (tensor.start < position) return;
    tensors[index] = count;
    put(tensor.start, tensor.end, dtypeByName(tensor.dtype)?.code ?? -1, extras(tensor, wanted));
    position = tensor.end;
  });
  return { ranges: ranges.subarray(0, RANGE_SIZE * count), dtypes: dtypes.subarray(0, count), tensors };
}

/** Columns, what is wanted, seed. */
type Extras = readonly [columns: number, wanted: number, low: number, high: number];
const NOTHING: Extras = [0, 0, 0, 0];
const ROWS = 1;
const SKETCH = 2;
const FORENSICS = 4;

function extras(tensor: TensorLayout, { rows, sketch, forensics }: Wanted): Extras {
  if (!rows && !sketch && !forensics) return NOTHING;
  const columns = columnsOf(tensor);
  const norms = rows && columns > 0 && isEmbedding(tensor.name);
  const sketched = sketch && isSketched(tensor.shape[0]!, columns);
  return [
    norms || sketched ? columns : 0,
    (norms ? ROWS : 0) | (sketched ? SKETCH : 0) | (forensics ? FORENSICS : 0),
    ...(sketched ? seedOf(tensor.name) : ([0, 0] as const)),
  ];
}

/** As native/counts/rows/sketch.h: a narrower matrix is hardly larger than its sketch, larger ones are none that models have. */
const isSketched = (rows: number, columns: number): boolean =>
  columns >= 64 && columns <= 2 ** 20 && rows <= 2 ** 19;

/** The first eight bytes of the name's SHA-256: each tensor has other signs, and the same name in another model the same. */
function seedOf(name: string): [low: number, high: number] {
  const digest = createHash('sha256').update(name).digest();
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
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
export const isTokenRows = (name: string): boolean => isEmbedding(name) && !name.endsWith('wpe.weight');

function isEmbedding(name: string): boolean {
  const module = name.endsWith('.weight') ? name.split('.').at(-2) : undefined;
  return module !== undefined && ROW_NAMES.has(module);
}

/** Elements per row, or 0 where there are none or they do not fall on whole blocks. */
function columnsOf({ dtype, shape }: TensorLayout): number {
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows === 0 || !columns) return 0;
  const info = dtypeByName(dtype);
  // A complex element is two values, and what is not decoded has no norm.
  if (info?.coverage !== 'values' || dtype === 'C64') return 0;
  return columns % info.blockCount === 0 ? columns : 0;
}
