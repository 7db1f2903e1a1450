// `command:PROGRAM`: a program of the user's signs, for every cloud and vault that is not spoken here. It is started without a shell and
// without arguments; a question as JSON goes in, an answer as JSON comes out (docs/keys.md). What it answers is believed as far as its
// signature holds.
import type { KeyObject } from 'node:crypto';
import { object, oneOf, optional, text } from '../../../document/check.ts';
import { SteelyardError } from '../../../rules/error.ts';
import { readJson } from '../../sign/bundle/encoding.ts';
import { Refused } from '../../sign/refusal.ts';
import type { RemoteKey } from '../../sign/sealing.ts';
import { hashOf } from '../../sign/signer/key.ts';
import { derOf, digestFor, usableKey } from '../ecdsa.ts';
import type { KeyOptions } from '../key-options.ts';
import { ask } from './process.ts';

const PROTOCOL = 'steelyard/signer/1';

interface Answer {
  readonly publicKey: string;
  readonly signature?: string;
  /** How r and s are written: in DER, or one after the other. */
  readonly form?: 'der' | 'p1363';
}

const isAnswer = object<Answer>({
  publicKey: text,
  signature: optional(text),
  form: optional(oneOf('der', 'p1363')),
});

/** Throws USAGE, NOT_FOUND, IO, TIMEOUT, LIMIT, INVALID_DOCUMENT. */
export async function commandKey(uri: string, options: KeyOptions): Promise<RemoteKey> {
  const program = uri.slice('command:'.length);
  if (program === '')
    throw new SteelyardError('USAGE', 'name the program: command:/usr/local/bin/sign-model');
  const asked = async (question: object): Promise<Answer> =>
    answerIn(await ask(program, JSON.stringify({ protocol: PROTOCOL, ...question }), options), program);
  const publicKey = keyIn(await asked({ operation: 'public-key' }), program);
  return {
    publicKey,
    sign: async (bytes) => {
      const answer = await asked({
        operation: 'sign',
        hash: hashOf(publicKey),
        digest: digestFor(publicKey, bytes).toString('base64'),
        bytes: Buffer.from(bytes).toString('base64'),
      });
      if (!keyIn(answer, program).equals(publicKey))
        throw odd(program, 'it names another key than when it was asked which one it has');
      return signatureIn(answer, publicKey, program);
    },
  };
}

const keyIn = ({ publicKey }: Answer, program: string): KeyObject =>
  usableKey(publicKey, `the key of ${program}`);

function signatureIn({ signature, form }: Answer, key: KeyObject, program: string): Buffer {
  if (signature === undefined) throw odd(program, 'it answers without a signature');
  const bytes = Buffer.from(signature, 'base64');
  if (form !== 'p1363') return bytes;
  const size = { sha256: 64, sha384: 96, sha512: 132 }[hashOf(key)!];
  if (bytes.length === size) return derOf(bytes);
  throw odd(
    program,
    `a signature of the form p1363 has ${size} bytes for this key, and it has ${bytes.length}`,
  );
}

function answerIn(bytes: Buffer, program: string): Answer {
  try {
    const answer = readJson(bytes, 'answer');
    if (isAnswer(answer)) return answer;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw odd(program, error.message);
  }
  throw odd(program, 'its answer has other fields than publicKey, signature and form');
}

const odd = (program: string, what: string): SteelyardError =>
  new SteelyardError('INVALID_DOCUMENT', `the signer ${program} is not understood: ${what}`);
