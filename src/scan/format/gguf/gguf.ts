// Reads the header of a GGUF file, versions 2 and 3, little-endian (ggml docs/gguf.md; gguf.cpp is what loads it). Its
// rules are held more strictly than any one loader does, because loaders differ: what ggml refuses, others read.

import { Fault, Violations } from '../../../document/violations.ts';
import type { Pieces } from '../../../runtime/turn.ts';
import { Cursor } from '../bytes.ts';
import { HiddenBytes } from '../disguise/hidden.ts';
import { aligned, bySpan, checkCoverage, checkPadding } from '../gaps.ts';
import type { ByteSource, Layout, MetadataEntry, Unreadable } from '../layout.ts';
import { refusable } from '../refusable.ts';
import { MetadataReader } from './key-values.ts';
import { placed } from './placement.ts';
import { type Info, InfoReader } from './tensor-entry.ts';

const MAGIC = 'GGUF';
const MAX_HEADER = 268_435_456;
const MAX_METADATA = 1_000_000;
const MAX_TENSORS = 4_194_304;
const MIN_METADATA_SIZE = 13; // key length, type, one byte
const MIN_INFO_SIZE = 24; // name length, rank, type, offset
const DEFAULT_ALIGNMENT = 32;
const PIECE = 200; // tensors
/** The largest page that CPUs commonly have: nothing is gained beyond it but room to hide things in. */
const MAX_PLAIN_ALIGNMENT = 65_536;

export function readGguf(source: ByteSource): Pieces<Layout | Unreadable> {
  const violations = new Violations();
  return refusable('gguf', violations, () => readHeader(source, violations));
}

function* readHeader(source: ByteSource, violations: Violations): Pieces<Layout> {
  const cursor = new Cursor(source, MAX_HEADER);
  const version = readVersion(cursor);
  const tensorCount = readCount(cursor, MIN_INFO_SIZE, 'tensors', MAX_TENSORS);
  const metadataCount = readCount(cursor, MIN_METADATA_SIZE, 'key-values', MAX_METADATA);

  const metadata: MetadataEntry[] = [];
  const metadataReader = new MetadataReader(cursor, violations);
  for (let i = 0; i < metadataCount; i++) metadata.push(yield* metadataReader.read());
  const alignment = alignmentOf(metadata, violations);

  cursor.expectRoom(tensorCount, MIN_INFO_SIZE, 'tensors', 8);
  const infos: Info[] = [];
  const infoReader = new InfoReader(cursor, alignment, textOf(metadata, 'general.architecture'), violations);
  for (let i = 0; i < tensorCount; i++) {
    infos.push(infoReader.read());
    if (i % PIECE === PIECE - 1) yield;
  }

  // Without a tensor ggml looks for no padding, but writers may have added it.
  const padded = aligned(cursor.at, alignment);
  const headerSize = tensorCount === 0 ? Math.min(padded, source.size) : padded;
  if (headerSize > source.size) {
    throw new Fault('header/truncated', `the file ends at ${source.size}, before its data section`, {
      offset: source.size,
      expected: `at least ${headerSize} bytes`,
    });
  }
  checkPadding(cursor.at, headerSize, source, new HiddenBytes(source, violations));

  const { spans, tensors, complete } = placed(infos, headerSize, source.size, alignment, violations);
  yield;
  const section = { start: headerSize, alignment, complete };
  checkCoverage(spans.sort(bySpan), section, source, violations);
  yield;
  return {
    format: 'gguf',
    version,
    headerSize,
    metadata,
    tensors: tensors.sort(bySpan),
    violations: violations.list(),
  };
}

function readVersion(cursor: Cursor): number {
  let magic = '';
  for (let i = 0; i < MAGIC.length; i++) magic += String.fromCharCode(cursor.u8());
  if (magic !== MAGIC)
    throw new Fault('gguf/magic', 'the file does not begin with GGUF', { offset: 0, expected: MAGIC });
  const version = cursor.u32();
  if (version === 2 || version === 3) return version;
  const place = { offset: 4, expected: '2 or 3', actual: String(version) };
  // A version read in the wrong byte order has its digits in the upper half (gguf.cpp has the same test).
  if (version !== 0 && version % 65_536 === 0) {
    throw new Fault('gguf/big-endian', 'the file is written for big-endian machines', place);
  }
  throw new Fault('gguf/version', `GGUF version ${version} is not one that loaders read`, place);
}

function readCount(cursor: Cursor, size: number, what: string, most: number): number {
  const offset = cursor.at;
  const count = cursor.count(size, what);
  if (count > most)
    throw new Fault('header/limit', `the header has ${count} ${what}`, {
      offset,
      expected: `at most ${most}`,
    });
  return count;
}

/** Everything after the metadata stands on the alignment, so a wrong one ends the reading. */
function alignmentOf(metadata: readonly MetadataEntry[], violations: Violations): number {
  const entry = metadata.find(({ key }) => key === 'general.alignment');
  if (entry === undefined) return DEFAULT_ALIGNMENT;
  const place = {
    offset: entry.start,
    expected: 'u32, a power of two',
    actual: `${entry.type} ${shown(entry)}`,
  };
  const value = entry.type === 'u32' ? Number(entry.value) : 0;
  if (value === 0 || (value & (value - 1)) !== 0) {
    throw new Fault('gguf/alignment', 'general.alignment is not a u32 power of two', place);
  }
  if (value > MAX_PLAIN_ALIGNMENT) {
    violations.report('gguf/alignment-large', `general.alignment is ${value}`, {
      offset: entry.start,
      expected: `at most ${MAX_PLAIN_ALIGNMENT}`,
      actual: String(value),
    });
  }
  return value;
}

function textOf(metadata: readonly MetadataEntry[], key: string): string | undefined {
  const value = metadata.find((entry) => entry.key === key)?.value;
  return typeof value === 'string' ? value : undefined;
}

function shown({ value }: MetadataEntry): string {
  return typeof value === 'object' ? '' : String(value).slice(0, 20);
}
