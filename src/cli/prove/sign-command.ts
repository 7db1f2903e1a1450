// `steelyard sign`: scan, and sign what was scanned; or sign the exact bytes of an MBOM.
import { Command, Option } from 'commander';
import type { FailOn } from '../../baseline/policy/policy.ts';
import { counted } from '../../document/text/quantity.ts';
import type { AnyKey } from '../../proof/sign/sign.ts';
import { SEVERITIES } from '../../rules/rules.ts';
import { loading } from '../../runtime/loading.ts';
import { scan } from '../../scan.ts';
import {
  type ExaminationFlags,
  examination,
  readComparison,
  withAccept,
  withExclude,
} from '../option/comparison-options.ts';
import { readInput } from '../option/input.ts';
import { type KeyFlags, signingKey, withKey } from '../option/key-option.ts';
import { isMbom } from '../option/mbom-options.ts';
import { type ReuseFlags, wantsReuse, withReuse } from '../option/reuse-options.ts';
import { usage } from '../option/trust-options.ts';
import { type Run, run } from '../run.ts';
import { say } from '../terminal/message.ts';
import { checkOutput } from '../terminal/output.ts';

interface Flags extends KeyFlags, ReuseFlags, Pick<ExaminationFlags, 'accept' | 'exclude'> {
  readonly output: string;
  readonly failOn?: FailOn;
  readonly policy?: string;
  readonly image?: string;
}

export function signCommand(): Command {
  return withExclude(withAccept(withReuse(withKey(new Command('sign'), true))))
    .summary('sign a model, or an MBOM')
    .description(
      'Scans a model and signs the names and digests of its files (OpenSSF Model Signing v1.0), reading it once. A model ' +
        'whose scan fails is not signed. `scan --sign` is the same with a report. A single FILE.mbom.yaml is signed as it is, ' +
        'byte for byte, as `cosign sign-blob` would.',
    )
    .argument('[path...]', 'files and folders of one model, or one MBOM')
    .option('--image <name@digest>', 'sign an image instead, as cosign does: name@sha256:…')
    .requiredOption('-o, --output <file>', 'the signature: model.sig')
    .option('--policy <file>', 'policy: what the model must be, and which unexamined files are accepted')
    .addOption(failOnOption())
    .action((paths: string[], flags: Flags) => run((context) => sign(paths, flags, context)));
}

export const failOnOption = (): Option =>
  new Option(
    '--fail-on <severity>',
    "fail the scan on findings of this severity or higher (default: the policy's, else high)",
  ).choices(['none', ...SEVERITIES]);

async function sign(paths: readonly string[], flags: Flags, context: Run): Promise<number> {
  const { output, failOn, policy } = flags;
  await checkOutput(output, paths);
  const key = await signingKey(flags, process.env);
  if (flags.image !== undefined) return signImageOf(flags.image, paths, output, key, context);
  if (paths.length === 0) throw usage('name the model that is to be signed, or give --image');
  if (wantsReuse(flags) && flags.exclude !== undefined)
    throw usage('what an old signature left out is left out again: give --exclude without --reuse');
  if (wantsReuse(flags)) return (await import('./reuse-signature.ts')).signAgain(paths, flags, key, context);
  if (isMbom(paths)) return signMbom(paths[0]!, output, key, context);
  // Links are no part of what is signed: allow_symlinks is false, and another verifier refuses them.
  const { signal, onProgress } = context;
  const judging = {
    ...(failOn === undefined ? {} : { failOn }),
    ...(await readComparison(policy === undefined ? {} : { policy })),
    ...examination(flags, true),
  };
  const scanning = scan(paths, { ...judging, followSymlinks: 'never', signal, onProgress });
  const signature = loading(import('./signing.ts'));
  const report = await scanning;
  context.measured();
  return (await signature).signReport(report, paths, output, key, context);
}

async function signImageOf(
  image: string,
  paths: readonly string[],
  output: string,
  key: AnyKey,
  { write }: Run,
): Promise<number> {
  if (paths.length > 0) throw usage('an image is signed by its digest alone: leave the paths out');
  const { signImage } = await import('../../gate/image/image-signing.ts');
  await write(output, [await signImage(image, key)]);
  say(`signed ${image}; the signature is in ${output}`);
  return 0;
}

async function signMbom(path: string, output: string, key: AnyKey, { write }: Run): Promise<number> {
  const [{ readMbom }, { signDocument }] = await Promise.all([
    import('../../proof/bom/mbom-document.ts'),
    import('../../proof/sign/sign.ts'),
  ]);
  const document = readInput(path, 'MBOM');
  const { model, files } = readMbom(document);
  await write(output, [await signDocument(document, key)]);
  say(`signed the MBOM of ${model.digest}, ${counted(files.length, 'file')}; the signature is in ${output}`);
  return 0;
}
