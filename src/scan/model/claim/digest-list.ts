// Lists of digests as sha256sum, shasum, openssl and BSD's programs write them, and files that hold one digest alone.
import type { Algorithm } from './claimed.ts';

interface ListedDigest {
  /** As the list has it; null: a digest alone. */
  readonly name: string | null;
  readonly algorithm: Algorithm;
  readonly digest: string;
}

/** The file whose name a sidecar continues: `model.safetensors.sha256` speaks of `model.safetensors`. */
export const SIDECAR = /\.(sha1|sha224|sha256|sha384|sha512|md5|b2|b2sum)(sums?)?(\.txt)?$/i;

/** SHA256SUMS, sha256sum.txt, checksums.sha256, manifest-sha256.txt (BagIt). */
const LIST =
  /(^|\/)((sha|md|b2)\d*[_-]?sums?|check-?sums?|hashes|digests|manifest-(sha\d+|md5))([._-](sha\d+|md5))?(\.txt)?$/i;

export const isDigestList = (path: string): boolean => LIST.test(path) || SIDECAR.test(path);

/** Lists of releases have some hundred lines. */
export const DIGEST_LIST_MAX = 4 * 2 ** 20;
const MOST = 100_000;

/** What cannot be read as a digest is passed over: such lists hold comments and signatures too. */
export function readDigestList(text: string, path: string): ListedDigest[] {
  const found: ListedDigest[] = [];
  for (const raw of text.replace(/^\uFEFF/, '').split(/\r\n?|\n/, MOST)) {
    // GNU escapes a name with a backslash or a line break, and begins the line with one.
    const line = raw.startsWith('\\') ? raw.slice(1).trimEnd() : raw.trimEnd();
    const match = PLAIN.exec(line) ?? BSD.exec(line);
    const { hex, name, algorithm } = match?.groups ?? {};
    const kind = hex === undefined ? null : algorithmOf(hex, algorithm ?? path);
    if (hex === undefined || kind === null) continue;
    found.push({
      name: name === undefined ? null : unescaped(name, raw),
      algorithm: kind,
      digest: hex.toLowerCase(),
    });
  }
  return found;
}

const PLAIN = /^\s*(?:sha\d+:)?(?<hex>[0-9a-f]{32,128})(?:[ \t]+\*?(?<name>[^\s].*)|\s+\*?|)$/i;
const BSD = /^(?<algorithm>[A-Za-z0-9-]{2,12})\s?\((?<name>.+)\)\s?= ?(?<hex>[0-9a-f]{32,128})$/;

const unescaped = (name: string, raw: string): string =>
  raw.startsWith('\\') ? name.replace(/\\(\\|n)/g, (_, c: string) => (c === 'n' ? '\n' : '\\')) : name;

const BY_LENGTH: Readonly<Record<number, Algorithm>> = {
  32: 'md5',
  40: 'sha1',
  56: 'sha224',
  64: 'sha256',
  96: 'sha384',
  128: 'sha512',
};

/** By the length of the digest; BLAKE2 has that of SHA-512 and has to be named. `named`: the tag, or the list's own path. */
function algorithmOf(hex: string, named: string): Algorithm | null {
  if (/sha3|b3sum|blake3|sha512-256|ripemd/i.test(named)) return null;
  if (/b2sum|blake2/i.test(named)) return hex.length === 128 ? 'blake2b512' : null;
  return BY_LENGTH[hex.length] ?? null;
}
