// What sign, verify and bom share: an MBOM in the place of a model, a signature that may be missing, an answer.
import { SteelyardError } from '../../rules/error.ts';
import type { outcomeText } from '../prove/outcome.ts';
import { writeStdout } from '../terminal/output.ts';
import { readInput } from './input.ts';

export const isMbom = (paths: readonly string[]): boolean =>
  paths.length === 1 && paths[0]!.endsWith('.mbom.yaml');

/** No signature is an answer, "unsigned", and not a file that could not be read. */
export function readSignature(path: string): Buffer {
  try {
    return readInput(path, 'signature');
  } catch (error) {
    if (error instanceof SteelyardError && error.code === 'NOT_FOUND') return Buffer.alloc(0);
    throw error;
  }
}

export async function print({ text, code }: ReturnType<typeof outcomeText>): Promise<number> {
  await writeStdout([text]);
  return code;
}
