// What the command line says on stderr about itself. stdout is for reports alone.

import { inert } from '../../document/text/inert.ts';
import { SteelyardError } from '../../rules/error.ts';

/** One line on stderr. Messages quote paths, which are foreign text. */
export function say(message: string): void {
  process.stderr.write(`steelyard: ${inert(message, MESSAGE)}\n`);
}

/** Enough for several paths of full length. */
const MESSAGE = 20_000;

/** What happened, where, and what to do. */
export function sayError(error: unknown): void {
  if (error instanceof SteelyardError && error.code !== 'INTERNAL') {
    const { code, file, message, offset, errno } = error;
    // The message names the file as the user wrote it, most of the time.
    const where = file === undefined || message.includes(file) ? '' : `${file}: `;
    const at = offset === undefined ? '' : ` (offset ${offset})`;
    const number = errno === undefined || message.includes(errno) ? '' : ` (${errno})`;
    say(`error ${code}: ${where}${message}${at}${number}`);
    return;
  }
  say(`error INTERNAL: ${error instanceof Error ? error.message : String(error)}`);
  // A bug of ours: the stack is what a bug report needs.
  const stack = error instanceof Error ? (error.stack ?? '').split('\n').slice(1, 12) : [];
  for (const frame of stack) say(frame.trim());
  say('this is a bug of steelyard; please report it with the lines above');
}
