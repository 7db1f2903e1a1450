// Reads the header of a safetensors file: an 8-byte length, JSON, then the tensors' bytes without a gap (README of
// safetensors, "Format"). Where its specification is stricter than its reference implementation, this reader follows the
// specification: duplicate keys, first byte, padding, unknown fields.

import { BRACE, JsonReader, QUOTE } from '../../../document/json/reader.ts';
import { Fault, Violations } from '../../../document/violations.ts';
import type { Pieces } from '../../../runtime/turn.ts';
import { bySpan, checkCoverage } from '../gaps.ts';
import type { ByteSource, Layout, MetadataEntry, TensorLayout, Unreadable } from '../layout.ts';
import { refusable } from '../refusable.ts';
import { type Entry, EntryReader } from './entry.ts';

const MAX_HEADER = 100_000_000; // safetensors/src/tensor.rs, MAX_HEADER_SIZE
const MAX_METADATA = 1_000_000;
const SPACE = 0x20;
const NULL = 0x6e;
const PIECE = 200; // tensors

export function readSafetensors(source: ByteSource): Pieces<Layout | Unreadable> {
  const violations = new Violations();
  return refusable('safetensors', violations, () => {
    const header = readHeader(source);
    return new HeaderReader(source, header, violations).read();
  });
}

function readHeader(source: ByteSource): Uint8Array {
  if (source.size < 8) {
    throw new Fault('header/truncated', 'the file is too short for the length of its header', {
      offset: 0,
      expected: '8 bytes',
      actual: `${source.size} bytes`,
    });
  }
  const length = Buffer.from(source.read(0, 8)).readBigUInt64LE();
  if (length > MAX_HEADER) {
    throw new Fault('header/limit', `the header claims ${length} bytes, the format allows ${MAX_HEADER}`, {
      offset: 0,
      expected: `at most ${MAX_HEADER}`,
      actual: String(length),
    });
  }
  if (length > source.size - 8) {
    throw new Fault('header/truncated', `the header claims ${length} bytes, ${source.size - 8} follow`, {
      offset: 0,
      expected: `at most ${source.size - 8}`,
      actual: String(length),
    });
  }
  return source.read(8, Number(length));
}

class HeaderReader {
  readonly #source: ByteSource;
  readonly #json: JsonReader;
  readonly #tensor: EntryReader;
  readonly #violations: Violations;
  readonly #headerSize: number;
  readonly #metadata: MetadataEntry[] = [];
  readonly #entries = new Map<string, Entry | null>();
  #complete = true;

  constructor(source: ByteSource, header: Uint8Array, violations: Violations) {
    this.#source = source;
    this.#violations = violations;
    this.#headerSize = 8 + header.length;
    this.#json = new JsonReader(header, 8, violations);
    this.#tensor = new EntryReader(this.#json, this.#headerSize, source.size, violations);
  }

  *read(): Pieces<Layout> {
    yield;
    yield* this.#readObject();
    this.#readPadding();
    const spans: Entry[] = [];
    for (const entry of this.#entries.values()) if (entry !== null) spans.push(entry);
    spans.sort(bySpan);
    yield;
    const section = { start: this.#headerSize, alignment: 1, complete: this.#complete };
    checkCoverage(spans, section, this.#source, this.#violations);
    yield;
    return {
      format: 'safetensors',
      headerSize: this.#headerSize,
      metadata: this.#metadata,
      tensors: spans.filter((entry: Entry): entry is TensorLayout => 'dtype' in entry),
      violations: this.#violations.list(),
    };
  }

  *#readObject(): Pieces<void> {
    const json = this.#json;
    const first = json.peek();
    if (first !== BRACE || json.at !== 8) {
      const place = { offset: 8, expected: "'{'" };
      if (first !== BRACE) throw new Fault('header/start', "the header does not begin with '{'", place);
      this.#violations.report('header/start', "whitespace stands before the header's '{'", place);
    }
    let hasMetadata = false;
    json.enterObject();
    while (json.nextKey()) {
      if (json.is('__metadata__')) {
        if (hasMetadata) json.reportDuplicate('__metadata__');
        hasMetadata = true;
        this.#readMetadata();
      } else {
        const name = json.text();
        const offset = json.textAt;
        const entry = this.#tensor.read(name);
        const { size } = this.#entries;
        // Loaders keep the last of two; so does this layout. The size tells without a second look-up of the name.
        this.#entries.set(name, entry);
        if (this.#entries.size === size) json.reportDuplicate(name, offset);
        if (entry === null) this.#complete = false;
        if (size % PIECE === PIECE - 1) yield;
      }
    }
  }

  #readPadding(): void {
    const json = this.#json;
    const offset = json.firstNot(SPACE);
    if (offset === this.#headerSize) return;
    this.#violations.report('header/padding', "something else than spaces follows the header's '}'", {
      offset,
      expected: '0x20',
    });
  }

  #readMetadata(): void {
    const json = this.#json;
    if (json.peek() === NULL) {
      // MLX writes it where there is no metadata, and the reference takes it for none.
      const offset = json.at;
      json.skip();
      const message = 'metadata "__metadata__": null stands in place of no metadata';
      this.#violations.report('header/type', message, { severity: 'info', offset });
      return;
    }
    if (!json.expect(BRACE, 'an object of strings', 'metadata', '__metadata__')) return;
    const keys = new Set<string>();
    json.enterObject();
    while (json.nextKey()) {
      const key = json.text();
      if (keys.has(key)) json.reportDuplicate(key);
      if (keys.size === MAX_METADATA) {
        throw new Fault('header/limit', `__metadata__ has more than ${MAX_METADATA} keys`, {
          offset: json.textAt,
        });
      }
      keys.add(key);
      if (!json.expect(QUOTE, 'a string', 'metadata', key)) continue;
      json.readString();
      const value = json.text();
      this.#metadata.push({ key, type: 'string', value, start: json.textAt, end: json.at });
    }
  }
}
