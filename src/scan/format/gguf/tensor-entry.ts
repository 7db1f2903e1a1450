// The tensor table of a GGUF header (ggml docs/gguf.md, "gguf_tensor_info_t"), row by row. Whatever does not
// prevent the next row from being read is reported and read over.

import { Fault, quoted, type Violations } from '../../../document/violations.ts';
import type { RuleId } from '../../../rules/rules.ts';
import { type DtypeInfo, GGML_INTERMEDIATE, GGML_REMOVED, ggmlDtype } from '../../dtype.ts';
import type { Cursor } from '../bytes.ts';
import { type Extent, extentOf } from '../extent.ts';

export interface Info {
  readonly name: string;
  /** Absolute position of the table's row. */
  readonly at: number;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly count: number;
  /** null: the dtype does not tell. */
  readonly size: number | null;
  /** Relative to the data section; null: it is beyond any file. */
  readonly offset: number | null;
  /** Breaks a rule of its own, so the layout does not have it. */
  readonly broken: boolean;
}

const MAX_NAME = 63; // GGML_MAX_NAME is 64, with its NUL
const MAX_LONG_NAME = 127;
const MAX_RANK = 4; // GGML_MAX_DIMS
const BYTES = { blockCount: 1, blockSize: 1 };

/** Models of images, films and sounds, which llama.cpp does not load. */
const IMAGES =
  /^(sd\d?|sd[_-]?xl|sdxl|ssd|svd|stable[_-]?diffusion|flux\d?|chroma|kontext|wan\d?|qwen_image\w*|lumina\d?|hidream\w*|cosmos\w*|ltxv?|hyvid|hunyuan_?video|hunyuan_?dit|aura(flow)?|pixart\w*|z_?image|omnigen\d?|ovis_image|unet|vae|controlnet|diffusion|pig)$/i;

export class InfoReader {
  readonly #cursor: Cursor;
  readonly #alignment: number;
  readonly #violations: Violations;
  readonly #isForLlama: boolean;
  readonly #names = new Set<string>();
  #name = '';

  /** `architecture`: undefined where the file names none, as files for stable-diffusion.cpp may. */
  constructor(cursor: Cursor, alignment: number, architecture: string | undefined, violations: Violations) {
    this.#isForLlama = architecture !== undefined && !IMAGES.test(architecture);
    this.#cursor = cursor;
    this.#alignment = alignment;
    this.#violations = violations;
  }

  read(): Info {
    const at = this.#cursor.at;
    const isNew = this.#readName();
    const shape = this.#readShape();
    const typeAt = this.#cursor.at;
    const id = this.#cursor.u32();
    const known = ggmlDtype(id);
    this.#checkType(id, known, typeAt);
    const extent = shape === null ? null : this.#extent(shape, known, typeAt);
    const offset = this.#readOffset();
    return {
      name: this.#name,
      at,
      dtype: known?.name ?? `ggml:${id}`,
      shape: shape ?? [],
      count: extent?.count ?? 0,
      size: known === undefined && extent?.count !== 0 ? null : (extent?.size ?? null),
      offset,
      broken: !isNew || extent === null,
    };
  }

  /** false: an earlier row has the name; it keeps it. */
  #readName(): boolean {
    const at = this.#cursor.at;
    const { value: name, valid, size } = this.#cursor.string();
    this.#name = name;
    if (!valid) this.#report('header/utf8', 'has a name that is not UTF-8', at);
    else if (name.includes('\0')) this.#report('gguf/nul', 'has a NUL in its name', at);
    if (size > MAX_NAME) this.#reportLength(size, at);
    const isNew = !this.#names.has(name);
    if (!isNew) this.#report('tensor/duplicate-name', 'is in the table twice', at);
    this.#names.add(name);
    return isNew;
  }

  /** stable-diffusion.cpp and its kin build ggml with room for longer names, and write them. */
  #reportLength(size: number, offset: number): void {
    const isOther = size <= MAX_LONG_NAME && !this.#isForLlama;
    const who = isOther ? ': llama.cpp refuses it, stable-diffusion.cpp reads it' : '';
    this.#violations.report(
      'gguf/name-length',
      `tensor ${quoted(this.#name)} has a name of ${size} bytes${who}`,
      {
        ...(isOther ? { severity: 'high' as const } : {}),
        offset,
        tensor: this.#name,
        expected: `at most ${isOther ? MAX_LONG_NAME : MAX_NAME}`,
      },
    );
  }

  /** Outermost first: the file has the innermost dimension first. */
  #readShape(): number[] | null {
    const at = this.#cursor.at;
    const rank = this.#cursor.u32();
    if (rank > MAX_RANK) {
      throw new Fault('tensor/rank', `tensor ${quoted(this.#name)} has ${rank} dimensions`, {
        offset: at,
        tensor: this.#name,
        expected: `at most ${MAX_RANK}`,
        actual: String(rank),
      });
    }
    const shape: number[] = [];
    let valid = true;
    for (let i = 0; i < rank; i++) {
      const dim = this.#readSafe('a dimension');
      if (dim === null) valid = false;
      else shape.unshift(dim);
    }
    return valid ? shape : null;
  }

  #checkType(id: number, known: DtypeInfo | undefined, at: number): void {
    const removed = GGML_REMOVED.get(id);
    if (removed !== undefined) {
      this.#report('tensor/dtype-removed', `has dtype ${removed}, which ggml removed`, at);
    } else if (known === undefined) {
      this.#report('tensor/dtype-unsupported', `has dtype ${id}, which ggml does not have`, at);
    } else if (GGML_INTERMEDIATE.has(known.name)) {
      this.#report('tensor/dtype-intermediate', `has dtype ${known.name}, which no writer stores`, at);
    }
  }

  #extent(shape: readonly number[], known: DtypeInfo | undefined, at: number): Extent | null {
    const extent = extentOf(shape, known ?? BYTES);
    if (extent === null) {
      this.#report('tensor/size-overflow', 'has a shape whose product overflows 64 bits', at);
      return null;
    }
    const row = shape.at(-1) ?? 1;
    if (known === undefined || row % known.blockCount === 0) return extent;
    const blocks = `a multiple of ${known.blockCount}`;
    this.#report(
      'tensor/partial-block',
      `has rows that end inside a block of ${known.name}`,
      at,
      blocks,
      String(row),
    );
    return null;
  }

  #readOffset(): number | null {
    const at = this.#cursor.at;
    const offset = this.#readSafe('an offset');
    if (offset !== null && offset % this.#alignment !== 0) {
      this.#report(
        'tensor/unaligned',
        'starts off the alignment',
        at,
        `a multiple of ${this.#alignment}`,
        String(offset),
      );
    }
    return offset;
  }

  #readSafe(what: string): number | null {
    const at = this.#cursor.at;
    const value = this.#cursor.u64();
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
    this.#report('header/integer-unsafe', `has ${what} above 2^53 - 1`, at, undefined, String(value));
    return null;
  }

  #report(rule: RuleId, message: string, offset: number, expected?: string, actual?: string): void {
    this.#violations.report(rule, `tensor ${quoted(this.#name)} ${message}`, {
      offset,
      tensor: this.#name,
      ...(expected === undefined ? {} : { expected }),
      ...(actual === undefined ? {} : { actual }),
    });
  }
}
