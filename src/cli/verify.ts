// `steelyard verify`: are these files what a trusted signer signed?
import { Command } from 'commander';
import { loading } from '../loading.ts';
import { scan } from '../scan.ts';
import { digestModel, modelRoot } from '../sign/content.ts';
import type { Trust } from '../sign/trust.ts';
import { wantsColour } from './colour.ts';
import { isMbom, print, readSignature } from './evidence.ts';
import { readInput } from './input.ts';
import { insideOf } from './naming.ts';
import { outcomeText } from './outcome.ts';
import { writeStdout } from './output.ts';
import { type Run, run } from './run.ts';
import { type TrustFlags, trustOf, usage, withTrust } from './trust.ts';

interface Flags extends TrustFlags {
  readonly signature: string;
  readonly scan?: true;
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
    .option('--scan', 'scan the model too, in the same reading: what fails its scan is refused')
    .action((paths: string[], flags: Flags) => run((now) => verification(paths, flags, now)));
}

async function verification(paths: readonly string[], flags: Flags, now: Run): Promise<number> {
  const trust = trustOf(flags);
  const bundle = readSignature(flags.signature);
  if (isMbom(paths)) {
    if (flags.scan) throw usage('an MBOM is not scanned: leave --scan out');
    return mbomVerification(readInput(paths[0]!, 'MBOM'), bundle, trust);
  }
  const { signal, onProgress, measured } = now;
  const scanning = flags.scan ? scan(paths, { signal, onProgress }) : null;
  const reading = scanning ?? digestModel(paths, { signal, onProgress });
  const proving = loading(import('../sign/verify.ts'));
  const rendering = scanning && loading(import('./rendering.ts'));
  const { files, errors } = await reading;
  const report = await scanning;
  measured();
  const ignore = [insideOf(modelRoot(paths), flags.signature)].filter((path) => path !== null);
  const { verify } = await proving;
  const outcome = verify(files, bundle, trust, { ignore });
  if (report !== null) {
    const { rendered } = (await rendering)!;
    const colour = wantsColour(process.stdout, process.env);
    await writeStdout([...rendered(report, { format: 'text', quiet: true }, colour), '\n']);
  }
  return print(outcomeText(outcome, errors, report?.verdict.outcome));
}

async function mbomVerification(document: Buffer, bundle: Buffer, trust: Trust): Promise<number> {
  const { verifyDocument } = await import('../sign/verify.ts');
  const outcome = verifyDocument(document, bundle, trust);
  const { readMbom } = await import('../bom/document.ts');
  if (outcome.verified) readMbom(document); // signed, and still no MBOM: nobody should go on with it
  return print(outcomeText(outcome, []));
}
