// What every place that models come from can do: say which files a model has, and give byte ranges of them. Nothing else of a
// store is used, so that one downloader serves them all.
import type { HttpOptions } from './http/http.ts';

/** What a store, or somebody else, says the bytes of a file hash to. */
export interface Expected {
  readonly algorithm: 'sha256' | 'git-sha1';
  /** Lower-case hex. */
  readonly value: string;
}

export interface SourceFile {
  /** A plain relative path, unique in its listing even for who ignores case. */
  readonly path: string;
  readonly size: number;
  /** What makes every range come from one version of the file: an ETag, a version, a digest; null: nothing does. */
  readonly pin: string | null;
  /** What the store says before a byte is read; null: nothing that can be compared. */
  readonly expected: Expected | null;
}

/** What makes a source immutable. `none`: nothing, the next request may see another model. */
export interface Pin {
  readonly kind: 'commit' | 'version' | 'manifest' | 'etag' | 'none';
  readonly value: string;
}

/** Something about the listing that a reader of the report has to know. */
export interface SourceNote {
  readonly rule: 'source/layer-unknown' | 'source/cache-digest';
  readonly file: string;
  readonly message: string;
}

/** A model at a place, listed and pinned. */
export interface Source {
  /** Names the pinned source. Holds no credential and no query. */
  readonly uri: string;
  /** The server that was asked: of the same URI there can be mirrors. */
  readonly endpoint: string;
  readonly pin: Pin;
  /** Sorted by path. */
  readonly files: readonly SourceFile[];
  readonly notes: readonly SourceNote[];
  /**
   * The bytes [start, end) of a file, in order: every one of them, or an error. Retries what a retry can mend.
   *
   * @throws SteelyardError NETWORK, UNAUTHORIZED, NOT_FOUND, SOURCE_CHANGED, SOURCE_REDIRECT, LIMIT, ABORTED.
   */
  read(file: SourceFile, start: number, end: number, signal?: AbortSignal): AsyncGenerator<Uint8Array>;
  /** Whether ranges can be asked for; else a read that does not begin at 0 costs all bytes before it. */
  seekable(signal?: AbortSignal): Promise<boolean>;
  /** Closes connections. */
  close(): Promise<void>;
}

export interface SourceOptions {
  /** Where credentials and endpoints are taken from; nothing else is read of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Instead of the store's own address: a mirror of the Hub, an S3 server. */
  readonly endpoint?: string;
  /** Where a store may send us on to (default: to any public host, over TLS), and how long it may take. */
  readonly http?: HttpOptions;
  readonly signal?: AbortSignal;
}
