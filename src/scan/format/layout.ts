// What a header says, once it has been read strictly: the types that both formats share. A Layout is facts about bytes;
// whatever is wrong with a file is a Violation, never an exception.
import type { Violation } from '../../document/violations.ts';

/** A value of the header's metadata. Integers that pass 2^53 are bigint; arrays keep their element type. */
export type MetadataValue = string | number | bigint | boolean | MetadataArray;
export interface MetadataArray {
  /** GGUF name of the element type: 'u8' … 'string', or 'array'. */
  readonly elementType: string;
  readonly items: readonly MetadataValue[];
}

/** One key-value of the header, in file order. `start`/`end`: absolute byte range of the value. */
export interface MetadataEntry {
  readonly key: string;
  /** 'string' for safetensors; GGUF: 'u8','i8','u16','i16','u32','i32','f32','bool','string','array','u64','i64','f64'. */
  readonly type: string;
  readonly value: MetadataValue;
  readonly start: number;
  readonly end: number;
}

/** A named, typed, shaped byte range of one file. */
export interface TensorLayout {
  readonly name: string;
  /** Row of dtype.ts; for one that is not in it, the format's word with a prefix: 'ggml:137', 'safetensors:F33'. */
  readonly dtype: string;
  /** Outermost dimension first. */
  readonly shape: readonly number[];
  /** Elements. */
  readonly count: number;
  /** Absolute byte range in the file; end exclusive. Always inside the file. */
  readonly start: number;
  readonly end: number;
}

export type Format = 'safetensors' | 'gguf';

/** The header of one weight file. */
export interface Layout {
  readonly format: Format;
  /** Bytes before the data section, alignment padding included. */
  readonly headerSize: number;
  readonly metadata: readonly MetadataEntry[];
  /**
   * Sorted by start, then end; names are unique. Tensors whose range does not fit the file, or not their shape and dtype,
   * are left out and have a violation: of those that are here, `end - start` is what `count` elements
   * of a dtype in dtype.ts take.
   */
  readonly tensors: readonly TensorLayout[];
  readonly violations: readonly Violation[];
  /** GGUF: the version; undefined for safetensors. */
  readonly version?: number;
}

/** A file's header could not be used at all: no layout, the reasons instead. */
export interface Unreadable {
  readonly format: Format;
  readonly headerSize: null;
  readonly violations: readonly Violation[];
}

/** The bytes a reader may ask for. `read` returns exactly `size` bytes or throws a SteelyardError (IO, FILE_CHANGED). */
export interface ByteSource {
  readonly size: number;
  read(start: number, size: number): Uint8Array;
}
