// Who is about to sign is shown first: the log that a keyless signature goes into is public, and forgets nothing.
import { createInterface } from 'node:readline/promises';
import { SteelyardError } from '../../rules/error.ts';
import { say } from './message.ts';

interface Claimed {
  readonly identity: string;
  readonly issuer: string;
}

/** `agreed`: it is only said. Throws USAGE: nobody is there, or somebody says no. */
export const confirmation =
  (agreed: boolean) =>
  async ({ identity, issuer }: Claimed): Promise<void> => {
    say(`signing as ${identity}, vouched for by ${issuer}; the log of signatures will show it`);
    if (agreed) return;
    if (!process.stdin.isTTY)
      throw new SteelyardError('USAGE', 'nobody is there to confirm: use --yes in scripts');
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    try {
      const typed = await terminal.question('type yes to sign: ');
      if (typed.trim() !== 'yes') throw new SteelyardError('USAGE', 'nothing was signed');
    } finally {
      terminal.close();
    }
  };
