// Which reader a file gets.

import { Violations } from '../../document/violations.ts';
import type { Pieces } from '../../runtime/turn.ts';
import { impostorOf } from './disguise/impostor.ts';
import { checkPolyglot } from './disguise/polyglot.ts';
import { readGguf } from './gguf/gguf.ts';
import type { ByteSource, Format, Layout, Unreadable } from './layout.ts';
import { readSafetensors } from './safetensors/safetensors.ts';

/** @param head the file's first bytes, four of them if it has as many. null: not a weight file by magic or name. */
export function detectFormat(name: string, head: Uint8Array): Format | null {
  // The magic first: what a loader would be handed under a wrong name is still what it is. A safetensors file cannot
  // begin with these bytes, they would make its header longer than the format allows.
  if (head[0] === 0x47 && head[1] === 0x47 && head[2] === 0x55 && head[3] === 0x46) return 'gguf';
  const lower = name.toLowerCase();
  if (lower.endsWith('.gguf')) return 'gguf';
  if (lower.endsWith('.safetensors')) return 'safetensors';
  return null;
}

/** Where no header can be read, what the file really is says more than how the reading failed: it is then all that is said. */
export function* readLayout(format: Format, source: ByteSource): Pieces<Layout | Unreadable> {
  const header = yield* format === 'gguf' ? readGguf(source) : readSafetensors(source);
  if (header.headerSize === null) {
    const impostor = impostorOf(format, source);
    return impostor === null ? header : { ...header, violations: [impostor] };
  }
  const violations = new Violations();
  checkPolyglot(source, violations);
  return { ...header, violations: [...header.violations, ...violations.list()] };
}
