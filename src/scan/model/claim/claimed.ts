// What lies beside a file and says what its digest is. It is free, works offline, and proves integrity, never trust: whoever replaces a file
// can replace the text beside it, and often forgets.

/** git-sha1: of a blob, with its header. */
export type Algorithm =
  | 'sha256'
  | 'git-sha1'
  | 'md5'
  | 'sha1'
  | 'sha224'
  | 'sha384'
  | 'sha512'
  | 'blake2b512';

/** One digest that a file is said to have. */
export interface Claim {
  readonly algorithm: Algorithm;
  /** Lower-case hex. */
  readonly digest: string;
  /** Who says so, for people: 'its name in a cache', '"SHA256SUMS"'. */
  readonly by: string;
  /** A store names what it keeps by its content; a list can be older than the file. */
  readonly store: boolean;
}
