// One digest for all tensors of a model: the same weights in other files, with other metadata, have the same.
import { createHash } from 'node:crypto';
import type { DeclarableTensor } from '../sign/files/model-digest.ts';
import type { TensorsDigest } from './mbom.ts';

/**
 * SHA-256 over a line for each tensor, `[name,dtype,shape,sha256]` as JSON without blanks and with a line break, sorted by
 * their bytes. A tensor that overlaps another has no digest of its own, and null stands in its place.
 */
export function tensorsDigest(tensors: readonly DeclarableTensor[]): TensorsDigest {
  const lines = tensors.map(({ name, dtype, shape, sha256 }) =>
    Buffer.from(`${JSON.stringify([name, dtype, shape, sha256])}\n`),
  );
  const hash = createHash('sha256');
  for (const line of lines.sort(Buffer.compare)) hash.update(line);
  return { count: tensors.length, digest: `sha256:${hash.digest('hex')}` };
}
