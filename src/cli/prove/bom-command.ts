// `steelyard bom`: declare what a model is made of, hold files against the declaration, hand it to other tools.
import { createHash } from 'node:crypto';
import { dirname, resolve, sep } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { counted } from '../../document/text/quantity.ts';
import { isSourceUri } from '../../document/text/source-word.ts';
import { createMbom } from '../../proof/bom/creation.ts';
import { type CycloneDxVersion, exportCycloneDx } from '../../proof/bom/cyclonedx.ts';
import type { Part } from '../../proof/bom/mbom.ts';
import { readMbom } from '../../proof/bom/mbom-document.ts';
import { verifyMbom } from '../../proof/bom/verification.ts';
import { digestModel } from '../../proof/sign/files/model-digest.ts';
import { SteelyardError } from '../../rules/error.ts';
import { wantedOf } from '../../scan/measure/plan.ts';
import { readProfile } from '../option/comparison-options.ts';
import { readInput } from '../option/input.ts';
import { print, readSignature } from '../option/mbom-options.ts';
import { insideOf, naming } from '../option/naming.ts';
import { nameOfSource, withSources } from '../option/sources.ts';
import { type TrustFlags, trustOf, withTrust } from '../option/trust-options.ts';
import { type Run, run } from '../run.ts';
import { say } from '../terminal/message.ts';
import { checkOutput } from '../terminal/output.ts';
import { outcomeText } from './outcome.ts';

interface CreateFlags {
  readonly output: string;
  readonly model?: string;
  readonly base?: Part;
  readonly adapter?: Part;
  readonly runtimeImage?: string;
  readonly profile?: string;
  readonly signingKey?: string;
  readonly config?: readonly string[];
}

interface VerifyFlags extends TrustFlags {
  readonly root?: string;
  readonly signature?: string;
}

interface ExportFlags {
  readonly output?: string;
  readonly profile?: string;
  readonly specVersion: CycloneDxVersion;
}

/** Its commands; main.ts gives each the program's settings. */
export function bomCommands(): readonly Command[] {
  const create = new Command('create')
    .summary('write the MBOM of a model')
    .argument('<path...>', 'files and folders of one model')
    .requiredOption('-o, --output <file>', 'the MBOM: model.mbom.yaml')
    .option('--model <name>', "the model's name (default: its folder's)")
    .option('--base <part>', 'what it was made from: name@sha256:digest', part)
    .option('--adapter <part>', 'the adapter it goes with: name@sha256:digest', part)
    .option('--runtime-image <image>', 'the image that runs it: name@sha256:digest')
    .option('--profile <file>', "the model's profile: the MBOM names its digest")
    .option(
      '--signing-key <hint>',
      'the key that will sign the MBOM: sha256:digest, or a file with the public key (PEM)',
    )
    .option(
      '--config <file...>',
      'serving files beside the MBOM (configuration, prompts): listed apart from the model',
    )
    .action((paths: string[], flags: CreateFlags) => run((context) => creation(paths, flags, context)));
  const verify = withTrust(new Command('verify'))
    .summary('compare files with an MBOM')
    .argument('<mbom>', 'model.mbom.yaml')
    .option('--root <folder>', "the model (default: the MBOM's folder)")
    .option('--signature <file>', 'a signature over the MBOM, checked first')
    .action((mbom: string, flags: VerifyFlags) => run((context) => verification(mbom, flags, context)));
  const exporting = new Command('export')
    .summary('write an MBOM for other tools')
    .argument('<mbom>', 'model.mbom.yaml')
    .addOption(
      new Option('--format <format>', 'what it is written as').choices(['cyclonedx']).default('cyclonedx'),
    )
    .addOption(
      new Option('--spec-version <version>', 'version of CycloneDX').choices(['1.6', '1.7']).default('1.6'),
    )
    .option('--profile <file>', 'the profile that the MBOM names: adds a component for each tensor')
    .option('-o, --output <file>', 'write it to a file, whole or not at all')
    .action((mbom: string, flags: ExportFlags) => run((context) => exportation(mbom, flags, context)));
  return [create, verify, exporting];
}

async function creation(paths: readonly string[], flags: CreateFlags, context: Run): Promise<number> {
  const { output, model: named, base, signingKey, profile, config = [], ...parts } = flags;
  await checkOutput(output, paths);
  const options = {
    ...parts,
    ...(base === undefined ? {} : { baseModel: base }),
    ...(signingKey === undefined ? {} : { signingKey: keyHint(signingKey) }),
    ...(profile === undefined ? {} : { profile: await readProfile(profile) }),
    config: config.map((file) => configFile(file, dirname(resolve(output)))),
  };
  const { signal, onProgress, measured, write } = context;
  const { files, tensors, errors } = await withSources(
    paths,
    context,
    (found, followed) =>
      digestModel(found, { signal, onProgress, ...(followed === undefined ? {} : { followed }) }),
    wantedOf({}),
  );
  measured();
  for (const { code, file, message } of errors) say(`error ${code}: ${file}: ${message}`);
  if (errors.length > 0) return 2;
  const [source] = paths.filter(isSourceUri);
  const { name, ignore } =
    source === undefined ? naming(paths, output) : { name: nameOfSource(source), ignore: [] };
  const text = createMbom(files, { ...options, name: named ?? name, ignore, tensors });
  await write(output, [text]);
  const { model, files: listed } = readMbom(Buffer.from(text));
  say(`${model.digest}, ${counted(listed.length, 'file')}; the MBOM is in ${output}`);
  return 0;
}

/** Listed by its path from the MBOM's folder, where the gate looks for it. */
function configFile(file: string, folder: string) {
  const path = insideOf(folder, file);
  if (path === null)
    throw new SteelyardError('USAGE', `${file} does not lie beside the MBOM; move it there, or the MBOM`, {
      file,
    });
  const bytes = readInput(file, 'serving file');
  const sha256 = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return { path: path.split(sep).join('/'), sha256, size: bytes.length };
}

async function verification(
  mbom: string,
  { signature, root: named = dirname(resolve(mbom)), ...flags }: VerifyFlags,
  context: Run,
): Promise<number> {
  if (signature === undefined && Object.keys(flags).length > 0) {
    throw new SteelyardError('USAGE', 'who must have signed is said, but no --signature is given');
  }
  const document = readInput(mbom, 'MBOM');
  const signed =
    signature === undefined ? {} : { signature: { bundle: readSignature(signature), trust: trustOf(flags) } };
  const { signal, onProgress, measured } = context;
  const { root, files, tensors, errors } = await digestModel(named, { signal, onProgress });
  measured();
  // Tensors of files that could not be read are not known.
  const whole = errors.length > 0 ? {} : { tensors };
  const evidence = signature === undefined ? [mbom] : [mbom, signature];
  const ignore = evidence.map((path) => insideOf(root, path)).filter((path) => path !== null);
  return print(outcomeText(verifyMbom(document, files, { ...signed, ...whole, ignore }), errors));
}

async function exportation(mbom: string, flags: ExportFlags, context: Run): Promise<number> {
  const { output, specVersion: version, profile } = flags;
  if (output !== undefined) await checkOutput(output, [mbom]);
  const options = { version, ...(profile === undefined ? {} : { profile: await readProfile(profile) }) };
  const text = exportCycloneDx(readMbom(readInput(mbom, 'MBOM')), options);
  await context.write(output, [text]);
  return 0;
}

function part(text: string): Part {
  const [, name, digest] = /^(.+)@(sha256:[0-9a-f]{64})$/.exec(text) ?? [];
  if (name !== undefined && digest !== undefined) return { name, digest };
  throw new InvalidArgumentError('It must be pinned by a digest: name@sha256:…');
}

const keyHint = (hint: string): string | Buffer =>
  hint.startsWith('sha256:') ? hint : readInput(hint, 'public key');
