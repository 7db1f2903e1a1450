// The options of `steelyard sign --reuse`.
import type { Command } from 'commander';
import { usage } from './trust-options.ts';

export interface ReuseFlags {
  readonly reuse?: string;
  readonly publicKey?: string;
  readonly changed?: readonly string[];
}

export const withReuse = (command: Command): Command =>
  command
    .option(
      '--reuse <file>',
      'do not scan; take digests from an old signature and read only files that it lacks or --changed names',
    )
    .option('--public-key <file>', 'with --reuse: public key of the old signature (PEM)')
    .option(
      '--changed <path>',
      'with --reuse: a file or folder of the model to read again; may be repeated',
      (path: string, others: readonly string[] = []) => [...others, path],
    );

/** Throws USAGE where flags of --reuse stand without it. */
export function wantsReuse({ reuse, publicKey, changed }: ReuseFlags): boolean {
  if (reuse !== undefined) return true;
  if (publicKey === undefined && changed === undefined) return false;
  throw usage('--public-key and --changed go with --reuse');
}
