// What the commands that ask a source have in common.
import type { Command } from 'commander';

export interface SelectionFlags {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly endpoint?: string;
}

export const withSelection = (command: Command): Command =>
  command
    .option('--include <glob>', 'only files of such a path (may be given again)', collect)
    .option('--exclude <glob>', 'no files of such a path (may be given again)', collect)
    .option('--endpoint <url>', "instead of the store's own address: a mirror of the Hub, an S3 server");

const collect = (value: string, all: readonly string[] = []): string[] => [...all, value];

/** Only what was given. */
export const selectionOf = ({ include, exclude, endpoint }: SelectionFlags): SelectionFlags => ({
  ...(include === undefined ? {} : { include }),
  ...(exclude === undefined ? {} : { exclude }),
  ...(endpoint === undefined ? {} : { endpoint }),
});
