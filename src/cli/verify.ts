// `steelyard verify`: are these files what a trusted signer signed?
import { Command } from 'commander';
import { loading } from '../loading.ts';
import { renderText } from '../report/text.ts';
import { scan } from '../scan.ts';
import { digestModel, modelRoot } from '../sign/content.ts';
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
  const proving = loading(import('../sign/verify.ts'));
  if (isMbom(paths)) {
    if (flags.scan) throw usage('an MBOM is not scanned: leave --scan out');
    const document = readInput(paths[0]!, 'MBOM');
    const { verifyDocument } = await proving;
    const outcome = verifyDocument(document, bundle, trust);
    const { readMbom } = await import('../bom/document.ts');
    if (outcome.verified) readMbom(document); // signed, and still no MBOM: nobody should go on with it
    return print(outcomeText(outcome, []));
  }
  const { signal, onProgress, measured } = now;
  const report = flags.scan ? await scan(paths, { signal, onProgress }) : null;
  const { files, errors } = report ?? (await digestModel(paths, { signal, onProgress }));
  measured();
  const ignore = [insideOf(modelRoot(paths), flags.signature)].filter((path) => path !== null);
  const { verify } = await proving;
  const outcome = verify(files, bundle, trust, { ignore });
  if (report !== null) {
    const colour = wantsColour(process.stdout, process.env);
    await writeStdout([`${renderText(report, { colour, quiet: true })}\n`]);
  }
  return print(outcomeText(outcome, errors, report?.verdict.outcome));
}
