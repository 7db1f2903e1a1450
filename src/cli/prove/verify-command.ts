// `steelyard verify`: are these files what a trusted signer signed?
import { Command } from 'commander';
import { digestModel, modelRoot } from '../../proof/sign/files/model-digest.ts';
import type { Trust } from '../../proof/sign/trust.ts';
import { loading } from '../../runtime/loading.ts';
import { scan } from '../../scan.ts';
import { readInput } from '../option/input.ts';
import { isMbom, print, readSignature } from '../option/mbom-options.ts';
import { insideOf } from '../option/naming.ts';
import { type TrustFlags, trustOf, usage, withTrust } from '../option/trust-options.ts';
import { type Run, run } from '../run.ts';
import { wantsColour } from '../terminal/colour.ts';
import { writeStdout } from '../terminal/output.ts';
import { outcomeText } from './outcome.ts';

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
    .action((paths: string[], flags: Flags) => run((context) => verification(paths, flags, context)));
}

async function verification(paths: readonly string[], flags: Flags, context: Run): Promise<number> {
  const trust = trustOf(flags);
  const bundle = readSignature(flags.signature);
  if (isMbom(paths)) {
    if (flags.scan) throw usage('an MBOM is not scanned: leave --scan out');
    return mbomVerification(readInput(paths[0]!, 'MBOM'), bundle, trust);
  }
  const { signal, onProgress, measured } = context;
  const scanning = flags.scan ? scan(paths, { signal, onProgress }) : null;
  const reading = scanning ?? digestModel(paths, { signal, onProgress });
  const proving = loading(import('../../proof/sign/verify.ts'));
  const rendering = scanning && loading(import('../terminal/rendering.ts'));
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
  const { verifyDocument } = await import('../../proof/sign/verify.ts');
  const outcome = verifyDocument(document, bundle, trust);
  const { readMbom } = await import('../../proof/bom/mbom-document.ts');
  if (outcome.verified) readMbom(document); // signed, and still no MBOM: nobody should go on with it
  return print(outcomeText(outcome, []));
}
