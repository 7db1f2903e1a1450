// Identification is loaded when a file is met that no reader of weights is for: most scans of one file need nothing of it.
import { type Check, inTurns } from '../../runtime/turn.ts';
import type { ByteSource } from '../format/layout.ts';
import type { Content } from './kind.ts';

/** What a file is by its content, and what is wrong with it. */
export async function contentOf(path: string, source: ByteSource, check: Check): Promise<Content> {
  const { identify } = await import('./identify.ts');
  return inTurns(identify(path, source), check);
}
