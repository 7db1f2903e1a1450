// Errors are about the world (I/O, a file that changes under us, our own bugs), never about the content of a file:
// content is a finding. A closed list of codes, because callers decide on them.

/** What went wrong. Every code maps to exit code 2, except ABORTED (130). */
export type ErrorCode =
  | 'USAGE' // arguments that make no sense
  | 'NOT_FOUND' // the path does not exist, or nothing there can be scanned
  | 'NOT_REGULAR' // a device, pipe, socket or directory where a file was expected
  | 'IO' // open, stat, read or write failed; errno is kept
  | 'FILE_CHANGED' // size, times, inode or content changed while we looked
  | 'LIMIT' // a limit of ours was reached before the answer was known
  | 'TIMEOUT' // a file did not answer when the time was over, and its process was killed
  | 'CRASHED' // the process that measured a file died
  | 'INVALID_PROFILE' // a baseline that is not a profile, or not the one it says it is
  | 'INVALID_POLICY' // a policy that cannot be understood; the message says line and column
  | 'INVALID_MBOM' // a bill of materials that cannot be understood; the message says line and column
  | 'INVALID_MANIFEST' // a manifest that cannot be read, or a template that was not rendered; the message says line and column
  | 'INVALID_EGRESS' // a declaration of egress that cannot be understood; the message says line and column
  | 'NETWORK' // a source does not answer, or not as its protocol says
  | 'UNAUTHORIZED' // a source does not let us in
  | 'NO_SPACE' // the disk cannot hold the model
  | 'SOURCE_NOT_ALLOWED' // the policy, or a rule for all sources, forbids it
  | 'SOURCE_REDIRECT' // a source sends us on to where we must not go
  | 'SOURCE_UNPINNED' // nothing keeps the source from changing, and the policy asks for it
  | 'SOURCE_CHANGED' // the source is not the one that was listed any more
  | 'DIGEST_MISMATCH' // the bytes are not those that were expected
  | 'INVALID_DOCUMENT' // another document of ours that cannot be understood; the message says line and column
  | 'NATIVE_UNAVAILABLE' // the addon is missing or does not fit this machine
  | 'ABORTED' // the caller's AbortSignal
  | 'INTERNAL'; // a bug of ours

/** Where it went wrong. `offset` is an absolute byte position in `file`. */
export interface ErrorPlace {
  readonly file?: string;
  readonly offset?: number;
  readonly errno?: string;
  readonly cause?: unknown;
}

/** The only error this library throws. The message says what happened, where, and what to do. */
export class SteelyardError extends Error {
  override readonly name = 'SteelyardError';
  readonly code: ErrorCode;
  readonly file?: string;
  readonly offset?: number;
  readonly errno?: string;

  constructor(code: ErrorCode, message: string, place: ErrorPlace = {}) {
    super(message, place.cause === undefined ? undefined : { cause: place.cause });
    this.code = code;
    if (place.file !== undefined) this.file = place.file;
    if (place.offset !== undefined) this.offset = place.offset;
    if (place.errno !== undefined) this.errno = place.errno;
  }
}

/** The errno name ('ENOENT') of a Node system error, if it is one. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}
