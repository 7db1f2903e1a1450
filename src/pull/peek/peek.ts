// Headers without weights: what a model at a source says it is, by requests for ranges, and plainly what nobody looked at.
import type { Violation } from '../../document/violations.ts';
import { SteelyardError } from '../../rules/error.ts';
import { sortFindings, toFinding } from '../../rules/finding.ts';
import { detectFormat } from '../../scan/format/format.ts';
import type { Layout } from '../../scan/format/layout.ts';
import { inspect } from '../../scan/inspect/inspect.ts';
import type { MeasuredFile } from '../../scan/measure/measured.ts';
import { isDocument } from '../../scan/model/companion.ts';
import { buildProfile } from '../../scan/profile/build.ts';
import { templatesOf } from '../../scan/profile/template/collect.ts';
import { openSource, type Source, type SourceFile, type SourceOptions } from '../../source/source.ts';
import { type Selection, selected } from '../expectation/selection.ts';
import type { Peek } from './peeked.ts';
import { earlyLayout } from './prefix.ts';

export { renderPeek } from './peek-text.ts';

/** The headers of 163 shards with 550 tensors each have some 75 kB: most files take one request. */
const FIRST = 256 * 1024;
/** No header of a model is longer; a claim of more is not followed. */
const MOST = 256 * 2 ** 20;
/** As a scan keeps them. */
const DOCUMENT = 16 * 2 ** 20;
const AT_ONCE = 8;

/** Throws what openSource throws, and what its reads do. */
export async function peek(uri: string, options: SourceOptions & Selection): Promise<Peek> {
  const source = await openSource(uri, options);
  try {
    const files = selected(source, options);
    const count = { requests: 0, bytesRead: 0 };
    const looked = await each(files, (file) => lookAt(source, file, count, options.signal));
    return await told(source, looked, count);
  } finally {
    await source.close();
  }
}

interface Count {
  requests: number;
  bytesRead: number;
}

/** As a scan's, with nothing measured. */
async function lookAt(
  source: Source,
  file: SourceFile,
  count: Count,
  signal?: AbortSignal,
): Promise<MeasuredFile> {
  const { path, size } = file;
  const isWeights = detectFormat(path, new Uint8Array()) !== null;
  const isKept = !isWeights && isDocument(path) && size <= DOCUMENT;
  let bytes = await head(isWeights ? FIRST : isKept ? size : 0);
  const format = detectFormat(path, bytes);
  let layout: Layout | null = null;
  let violations: readonly Violation[] = [];
  while (format !== null) {
    const early = await earlyLayout(format, bytes, size);
    if (typeof early !== 'number') {
      const { header } = early;
      violations = header.violations;
      layout = header.headerSize === null ? null : header;
      break;
    }
    bytes = Buffer.concat([bytes, await head(early, bytes.length)]);
  }
  const tensors = (layout?.tensors ?? []).map(() => null);
  const entry = { path, absolute: path };
  const document = isKept ? bytes : null;
  return {
    entry,
    identity: '',
    format,
    size,
    sha256: '',
    layout,
    violations,
    kind: format ?? 'unknown',
    state: layout === null && document === null ? 'hashed' : 'examined',
    document,
    tensors,
    kernel: '',
    seconds: 0,
  };

  async function head(end: number, start = 0): Promise<Buffer> {
    if (end > MOST)
      throw new SteelyardError('LIMIT', `a header of more than ${MOST} bytes is not read`, { file: path });
    const pieces: Uint8Array[] = [];
    if (Math.min(end, size) > start) count.requests++;
    for await (const piece of source.read(file, start, Math.min(end, size), signal)) pieces.push(piece);
    const got = Buffer.concat(pieces);
    count.bytesRead += got.length;
    return got;
  }
}

async function told(source: Source, looked: readonly MeasuredFile[], count: Count): Promise<Peek> {
  const templates = looked.map(templatesOf);
  const profile = buildProfile(looked, templates);
  const found = await inspect({
    profile,
    files: looked,
    templates,
    unread: new Set(),
    base: undefined,
    forensics: false,
  });
  const unread = looked.filter(({ format, document }) => format === null && document === null);
  return {
    source: source.uri,
    pin: source.pin,
    files: profile.files.map(({ path, size, format, headerSize, metadata }) => ({
      path,
      size,
      format,
      headerSize,
      metadata,
    })),
    tensors: profile.tensors.map(({ name, file, dtype, shape }) => ({ name, file, dtype, shape })),
    findings: sortFindings([...source.notes.map(toFinding), ...found]),
    ...count,
    notLookedAt: [
      'the values of the tensors, and every digest',
      'bytes between and after the tensors, and archives hidden there',
      ...(unread.length === 0 ? [] : [`${unread.length} files that hold no weights by their names`]),
    ],
  };
}

/** In order, some at a time. */
async function each<T, R>(items: readonly T[], action: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await action(items[index]!);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return results;
}
