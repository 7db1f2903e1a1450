// Files and tensors as JSON: fields in the order of the types whatever order objects were built in, one line per entry so that
// documents diff well, and nothing but printable ASCII, so that they are inert on a terminal. Reports and profiles share it.
import type { HistogramRun, QuantizedStats, RowStats, ScaleStats, Stats } from '../measure/stats.ts';
import type { FileProfile, MetadataProfile, Profile, TemplateProfile, TensorProfile } from './profile.ts';

/** The two lists of a profile, as they stand in every document. */
export function* profileLines({ files, tensors }: Profile): Generator<string, void, undefined> {
  yield* list('files', files, FILE);
  yield ',\n';
  yield* list('tensors', tensors, TENSOR);
}

/** Lines in pieces of some 64 KiB: a model may have 100,000 tensors, and one string for all of them is hundreds of MB. */
export function* chunked(lines: Iterable<string>): Generator<string, void, undefined> {
  let chunk = '';
  for (const line of lines) {
    chunk += line;
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = '';
  }
  yield chunk;
}

const CHUNK = 1 << 16;

export function* list(
  name: string,
  items: readonly unknown[],
  fields?: string[],
): Generator<string, void, undefined> {
  yield `  "${name}": [`;
  let separator = '\n';
  for (const item of items) {
    yield `${separator}    ${json(item, fields)}`;
    separator = ',\n';
  }
  yield items.length === 0 ? ']' : '\n  ]';
}

// ESC and line breaks are escaped by JSON.stringify; C1 controls, bidi and invisible characters are not. All of non-ASCII is
// escaped, because which characters are invisible depends on the Unicode version and a report must not. Two commands of CI
// runners too, which work anywhere in a line: `##[…]` (GitHub) and `section_start:` (GitLab).
export const json = (value: unknown, fields?: string[]): string =>
  JSON.stringify(value, fields).replace(
    /[\u007f-\uffff]|#(?=#)|s(?=ection_(?:start|end):)/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

// JSON.stringify writes exactly the listed keys, in the order of the list, at every depth. The type asks for every field of
// T: one that is added to the contract and forgotten here does not compile.
export const fields = <T>(record: Record<keyof T, true>): string[] => Object.keys(record);
export const union = (...lists: string[][]): string[] => [...new Set(lists.flat())];

const FILE = union(
  fields<FileProfile>({
    path: true,
    format: true,
    size: true,
    sha256: true,
    tensorCount: true,
    headerSize: true,
    metadata: true,
    templates: true,
  }),
  fields<TemplateProfile>({ name: true, source: true, digest: true }),
  fields<MetadataProfile>({ key: true, type: true, value: true, digest: true, size: true, count: true }),
);

const STATS = union(
  fields<Stats>({
    coverage: true,
    count: true,
    zero: true,
    negativeZero: true,
    nan: true,
    posInf: true,
    negInf: true,
    subnormal: true,
    distinctNaN: true,
    min: true,
    max: true,
    absMax: true,
    mean: true,
    std: true,
    l1: true,
    l2: true,
    skewness: true,
    kurtosis: true,
    entropy: true,
    histogram: true,
    trailingZeros: true,
    quantized: true,
    rows: true,
    sketch: true,
  }),
  fields<NonNullable<Stats['entropy']>>({ code: true, exponent: true, mantissa: true, bytes: true }),
  fields<NonNullable<Stats['histogram']>>({ negative: true, positive: true }),
  fields<HistogramRun>({ first: true, counts: true }),
);

const QUANTIZED = union(
  fields<QuantizedStats>({ blocks: true, blocksAtExtreme: true, scales: true, mins: true, quants: true }),
  fields<ScaleStats>({
    count: true,
    zero: true,
    negative: true,
    nan: true,
    inf: true,
    subnormal: true,
    min: true,
    max: true,
    mean: true,
    std: true,
    entropy: true,
  }),
  fields<NonNullable<QuantizedStats['quants']>>({ counts: true, entropy: true }),
  fields<RowStats>({ norms: true, digests: true }),
);

const TENSOR = union(
  fields<TensorProfile>({
    name: true,
    file: true,
    dtype: true,
    shape: true,
    start: true,
    end: true,
    sha256: true,
    stats: true,
  }),
  STATS,
  QUANTIZED,
);
