// Looks at bytes that belong to nobody: how many there are, how random they look, and whether they are a file of their own.

import type { Place, Violations } from '../../../document/violations.ts';
import type { ByteSource } from '../layout.ts';
import { type Recognized, recognize } from './magic.ts';

type HiddenRule = 'data/padding' | 'data/hole' | 'data/trailing-bytes';

const LOOKED_AT = 1_048_576; // of one range
const BUDGET = 16_777_216; // of one file: its ranges may be a million

/** Reports unreferenced ranges of one file. */
export class HiddenBytes {
  readonly #source: ByteSource;
  readonly #violations: Violations;
  #left = BUDGET;

  constructor(source: ByteSource, violations: Violations) {
    this.#source = source;
    this.#violations = violations;
  }

  /** @param message what the range is; what it holds is added. The range is inside the file. */
  report(rule: HiddenRule, start: number, end: number, message: string, place: Place): void {
    const size = Math.min(end - start, LOOKED_AT, this.#left);
    this.#left -= size;
    const bytes = this.#source.read(start, size);
    const looked = size < end - start ? ` in the first ${size}` : '';
    const zero = bytes.every((byte) => byte === 0);
    const content = zero ? 'all zero' : `${entropyOf(bytes).toFixed(2)} bits of entropy per byte`;
    const found = zero ? null : contentOf(bytes);
    this.#violations.report(rule, size === 0 ? message : `${message}: ${content}${looked}`, place);
    if (found === null) return;
    this.#violations.report('data/payload', `${message}, and hold ${found.what}`, {
      ...place,
      offset: start + found.at,
      actual: found.what,
    });
  }
}

/** A payload may stand behind zeros, and formats without a magic are seen at their beginning only. */
function contentOf(bytes: Uint8Array): Recognized | null {
  const found = recognize(bytes);
  if (found !== null || bytes[0] !== 0) return found;
  const skipped = bytes.findIndex((byte) => byte !== 0);
  const later = recognize(bytes.subarray(skipped));
  return later === null ? null : { ...later, at: later.at + skipped };
}

function entropyOf(bytes: Uint8Array): number {
  const counts = new Float64Array(256);
  for (const byte of bytes) counts[byte]! += 1;
  let bits = 0;
  for (const count of counts) if (count > 0) bits -= (count / bytes.length) * Math.log2(count / bytes.length);
  return bits;
}
