// Digests that the pass does not take, of files about which there is a claim of that kind: small ones on the Hub, or who lists MD5.
import { createHash, type Hash } from 'node:crypto';
import type { Pieces } from '../../../runtime/turn.ts';
import type { ByteSource } from '../../format/layout.ts';
import type { Algorithm, Claim } from './claimed.ts';

export type OtherDigests = Readonly<Partial<Record<Algorithm, string>>>;

const PIECE = 2 ** 20;

/** One reading more, for all of them together. */
export function* otherDigests(source: ByteSource, claims: readonly Claim[]): Pieces<OtherDigests> {
  const wanted = new Set(claims.map(({ algorithm }) => algorithm).filter((one) => one !== 'sha256'));
  if (wanted.size === 0) return {};
  const hashes = new Map<Algorithm, Hash>();
  for (const algorithm of wanted)
    hashes.set(
      algorithm,
      algorithm === 'git-sha1' ? createHash('sha1').update(`blob ${source.size}\0`) : createHash(algorithm),
    );
  for (let at = 0; at < source.size; at += PIECE) {
    const bytes = source.read(at, Math.min(PIECE, source.size - at));
    for (const hash of hashes.values()) hash.update(bytes);
    yield;
  }
  return Object.fromEntries([...hashes].map(([algorithm, hash]) => [algorithm, hash.digest('hex')]));
}
