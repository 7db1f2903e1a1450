// `steelyard verify`: are these files what a trusted signer signed?
import { relative, resolve } from 'node:path';
import { Command } from 'commander';
import { SteelyardError } from '../error.ts';
import { digestModel, readMbom, verify, verifyDocument } from '../index.ts';
import { readInput } from './input.ts';
import { outcomeText } from './outcome.ts';
import { writeStdout } from './output.ts';
import { type Run, run } from './run.ts';
import { isMbom } from './sign.ts';
import { type TrustFlags, trustOf, withTrust } from './trust.ts';

interface Flags extends TrustFlags {
  readonly signature: string;
}

export function verifyCommand(): Command {
  return withTrust(new Command('verify'))
    .summary('verify the signature of a model, or of an MBOM')
    .description(
      'Verifies Model Signing bundles of any version, made by any implementation, with a key, a certificate or an identity; ' +
        'for a single FILE.mbom.yaml, a signature by steelyard or `cosign sign-blob`. Works offline.',
    )
    .argument('<path...>', 'files and folders of one model, or one MBOM')
    .requiredOption('--signature <file>', 'the signature: model.sig')
    .action((paths: string[], flags: Flags) => run((now) => verification(paths, flags, now)));
}

async function verification(paths: readonly string[], flags: Flags, now: Run): Promise<number> {
  const trust = trustOf(flags);
  const bundle = readSignature(flags.signature);
  if (isMbom(paths)) {
    const document = readInput(paths[0]!, 'MBOM');
    const outcome = verifyDocument(document, bundle, trust);
    if (outcome.verified) readMbom(document); // signed, and still no MBOM: nobody should go on with it
    return print(outcomeText(outcome, []));
  }
  const { signal, onProgress, measured } = now;
  const { root, files, errors } = await digestModel(paths, { signal, onProgress });
  measured();
  const ignore = [insideOf(root, flags.signature)].filter((path) => path !== null);
  return print(outcomeText(verify(files, bundle, trust, { ignore }), errors));
}

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

/** null: not below the model's root. */
export function insideOf(root: string, path: string): string | null {
  const inside = relative(root, resolve(path));
  return inside.startsWith('..') ? null : inside;
}
