// A program of the user's: a question on its stdin, an answer on its stdout, both with an end. No shell reads its name, and it has no
// arguments: nothing that is signed and no secret stands in a process list.
import { spawn } from 'node:child_process';
import { errnoOf, SteelyardError } from '../../../rules/error.ts';
import type { KeyOptions } from '../key-options.ts';

/** Seconds: somebody may have to touch a key, or to say yes on a telephone. */
const PATIENCE = 120;
/** Answers are a key and a signature. */
const MAX_ANSWER = 65_536;
/** What it says of itself when it fails. */
const MAX_WORDS = 300;

/** Secrets for keys of other kinds are none of its business. */
const KEPT_BACK = ['STEELYARD_KEY_PASSWORD', 'STEELYARD_PKCS11_PIN', 'SIGSTORE_ID_TOKEN'];

export function ask(
  program: string,
  question: string,
  { env, patience = PATIENCE }: KeyOptions,
): Promise<Buffer> {
  const given = Object.fromEntries(Object.entries(env).filter(([name]) => !KEPT_BACK.includes(name)));
  return new Promise((resolve, reject) => {
    const child = spawn(program, [], {
      env: given,
      shell: false,
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
    const answer: Buffer[] = [];
    let [size, words] = [0, ''];
    const end = (error: SteelyardError | null): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      // Whatever it started may hold its pipes open: nobody waits for that.
      child.stdout.destroy();
      child.stderr.destroy();
      if (error === null) resolve(Buffer.concat(answer));
      else reject(error);
    };
    const timer = setTimeout(
      () => end(new SteelyardError('TIMEOUT', `the signer ${program} did not answer in ${patience} seconds`)),
      1000 * patience,
    );
    child.stdin.on('error', () => undefined); // it need not read: its answer says whether it did
    child.stdout.on('data', (piece: Buffer) => {
      answer.push(piece);
      size += piece.length;
      if (size > MAX_ANSWER)
        end(new SteelyardError('LIMIT', `the signer ${program} answers with more than ${MAX_ANSWER} bytes`));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-MAX_WORDS);
    });
    child.on('error', (cause) => {
      const errno = errnoOf(cause) ?? 'unknown';
      const message = `the signer ${program} cannot be started (${errno}): name a program, without arguments`;
      end(new SteelyardError(errno === 'ENOENT' ? 'NOT_FOUND' : 'IO', message));
    });
    child.on('close', (code, killed) => {
      if (code === 0) end(null);
      else end(new SteelyardError('IO', failed(program, code ?? killed, words)));
    });
    child.stdin.end(`${question}\n`);
  });
}

const failed = (program: string, how: string | number | null, words: string): string =>
  `the signer ${program} failed (${how})${words.trim() === '' ? '' : `: ${words.trim()}`}`;
