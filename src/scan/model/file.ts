// One file, opened once: everything that is said about it comes from this descriptor, so nobody can swap it in between.
import { createHash } from 'node:crypto';
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { errnoOf, SteelyardError } from '../../rules/error.ts';
import type { ByteSource } from '../format/layout.ts';
import type { Claim } from './claim/claimed.ts';

/** A file of the model: where it is, and its name relative to the model's root. */
export interface FileEntry {
  readonly path: string;
  readonly absolute: string;
  /** Where `absolute` leads, if it is a link that may be followed. */
  readonly real?: string;
  /** The user named this very file: links are followed. */
  readonly named?: true;
  /** What lies beside it, or its name, says of its digest. */
  readonly claims?: readonly Claim[];
}

type Kept = (start: number, end: number) => boolean;

/** What was parsed of a file's beginning. */
interface Prefix {
  readonly size: number;
  readonly sha256: string;
}

export class ModelFile implements ByteSource {
  readonly entry: FileEntry;
  readonly fd: number;
  readonly size: number;
  readonly #identity: BigIntStats;
  readonly #kept: Kept | undefined;
  /** What readers were given, while it stands at the beginning of the file without a gap: the header as it was parsed. */
  #prefix: Uint8Array[] = [];
  #prefixSize = 0;

  private constructor(entry: FileEntry, fd: number, identity: BigIntStats, kept: Kept | undefined) {
    this.entry = entry;
    this.fd = fd;
    this.#identity = identity;
    this.#kept = kept;
    this.size = Number(identity.size);
  }

  /** `kept`: which bytes are there, if not all. Throws a SteelyardError: IO, NOT_FOUND, NOT_REGULAR. */
  static open(entry: FileEntry, kept?: Kept): ModelFile {
    const { absolute, real = absolute, named } = entry;
    // Without O_NONBLOCK, opening a named pipe waits for a writer that never comes. O_NOFOLLOW: where a link may lead was
    // judged when the model was listed, and the file may have become another link since.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | (named ? 0 : constants.O_NOFOLLOW);
    const fd = attempt(entry, 'open', () => openSync(real, flags));
    try {
      const identity = attempt(entry, 'stat', () => fstatSync(fd, { bigint: true }));
      if (!identity.isFile()) {
        throw new SteelyardError('NOT_REGULAR', 'not a regular file: only files on disk can be scanned', {
          file: entry.path,
        });
      }
      return new ModelFile(entry, fd, identity, kept);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Which file this is, in which state: what opens it again can tell whether it still is. */
  get identity(): string {
    return IDENTITY.map((field) => this.#identity[field]).join(' ');
  }

  close(): void {
    closeSync(this.fd);
  }

  /** The first bytes, at most `size` of them. */
  head(size: number): Uint8Array {
    return this.#readExactly(0, Math.min(size, this.size));
  }

  /** For readers of headers. Exactly `size` bytes, or IO or FILE_CHANGED is thrown. */
  read(start: number, size: number): Uint8Array {
    const bytes = this.#readExactly(start, size);
    if (start === this.#prefixSize) {
      this.#prefix.push(bytes);
      this.#prefixSize += size;
    }
    return bytes;
  }

  /** For whoever looks at a file without reading it as a header. */
  get looked(): ByteSource {
    return { size: this.size, read: (start, size) => this.#readExactly(start, size) };
  }

  /**
   * Digest of the first bytes as readers saw them, at most `most` of them. The native pass reads the same bytes again: if
   * it finds another digest, the header that was parsed is not the one that was hashed.
   */
  takePrefix(most: number): Prefix {
    const size = Math.min(most, this.#prefixSize);
    const hash = createHash('sha256');
    let left = size;
    for (const bytes of this.#prefix) {
      hash.update(bytes.subarray(0, left));
      left -= Math.min(left, bytes.length);
    }
    this.#prefix = [];
    return { size, sha256: `sha256:${hash.digest('hex')}` };
  }

  /**
   * Throws FILE_CHANGED if size, times or inode are not what they were at opening, or the path names another file by now.
   * A tripwire, not a proof: a store through a writable mapping moves no time stamp.
   */
  assertUnchanged(): void {
    const now = attempt(this.entry, 'stat', () => fstatSync(this.fd, { bigint: true }));
    const named = attempt(this.entry, 'stat', () => statSync(this.entry.absolute, { bigint: true }));
    for (const field of IDENTITY) {
      if (now[field] !== this.#identity[field] || named[field] !== this.#identity[field]) {
        throw changed(this.entry, `its ${FIELD_NAMES[field]} changed`);
      }
    }
  }

  #readExactly(start: number, size: number): Uint8Array {
    if (this.#kept !== undefined && !this.#kept(start, start + size)) throw notKept(this.entry, start);
    const bytes = Buffer.allocUnsafeSlow(size);
    for (let done = 0; done < size; ) {
      const got = attempt(this.entry, 'read', () =>
        uninterrupted(() => readSync(this.fd, bytes, done, size - done, start + done)),
      );
      if (got === 0) throw changed(this.entry, 'it was truncated', start + done);
      done += got;
    }
    return bytes;
  }
}

const IDENTITY = ['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs'] as const;
const FIELD_NAMES = {
  dev: 'device',
  ino: 'inode',
  size: 'size',
  mtimeNs: 'modification time',
  ctimeNs: 'status change time',
} as const;

/** The error of a file that did not hold still. */
export function changed(entry: FileEntry, how: string, offset?: number): SteelyardError {
  return new SteelyardError(
    'FILE_CHANGED',
    `the file changed during the scan: ${how}; scan a copy that nobody writes to`,
    { file: entry.path, ...(offset === undefined ? {} : { offset }) },
  );
}

/** Of a model that is looked at without being kept. */
export const notKept = (entry: FileEntry, offset: number): SteelyardError =>
  new SteelyardError(
    'LIMIT',
    'to judge this file takes bytes of its weights, and they were not kept; pull the model and scan its folder',
    { file: entry.path, offset },
  );

/** FUSE and NFS return EINTR from reads, and libuv passes it on. */
function uninterrupted(read: () => number): number {
  for (;;) {
    try {
      return read();
    } catch (error) {
      if (errnoOf(error) !== 'EINTR') throw error;
    }
  }
}

function attempt<T>(entry: FileEntry, verb: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === undefined) throw cause;
    throw new SteelyardError(errno === 'ENOENT' ? 'NOT_FOUND' : 'IO', `cannot ${verb} the file: ${errno}`, {
      file: entry.path,
      errno,
      cause,
    });
  }
}
