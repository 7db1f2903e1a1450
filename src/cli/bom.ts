// `steelyard bom`: declare what a model is made of, hold files against the declaration, hand it to other tools.
import { basename, dirname, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { SteelyardError } from '../error.ts';
import {
  type CycloneDxVersion,
  createMbom,
  digestModel,
  exportCycloneDx,
  type Part,
  readMbom,
  verifyMbom,
} from '../index.ts';
import { counted } from '../report/quantity.ts';
import { readInput } from './input.ts';
import { say } from './message.ts';
import { outcomeText } from './outcome.ts';
import { checkOutput, writeFileWhole, writeStdout } from './output.ts';
import { type Run, run } from './run.ts';
import { type TrustFlags, trustOf, withTrust } from './trust.ts';
import { insideOf, print, readSignature } from './verify.ts';

interface CreateFlags {
  readonly output: string;
  readonly name?: string;
  readonly baseModel?: Part;
  readonly adapter?: Part;
  readonly runtimeImage?: string;
  readonly signingKey?: string;
}

interface VerifyFlags extends TrustFlags {
  readonly signature?: string;
}

interface ExportFlags {
  readonly output?: string;
  readonly specVersion: CycloneDxVersion;
}

/** Its commands; main.ts gives each the program's settings. */
export function bomCommands(): readonly Command[] {
  const create = new Command('create')
    .summary('write the MBOM of a model')
    .argument('<path...>', 'files and folders of one model')
    .requiredOption('-o, --output <file>', 'the MBOM: model.mbom.yaml')
    .option('--name <name>', "the model's name (default: its folder's)")
    .option('--base-model <part>', 'what it was made from: name@sha256:digest', part)
    .option('--adapter <part>', 'the adapter it goes with: name@sha256:digest', part)
    .option('--runtime-image <image>', 'the image that runs it: name@sha256:digest')
    .option('--signing-key <file>', 'public key (PEM) that will sign the MBOM')
    .action((paths: string[], flags: CreateFlags) => run((now) => creation(paths, flags, now)));
  const verify = withTrust(new Command('verify'))
    .summary('hold files against an MBOM')
    .argument('<mbom>', 'model.mbom.yaml')
    .argument('[path...]', "files and folders of the model (default: the MBOM's folder)")
    .option('--signature <file>', 'a signature over the MBOM, checked first')
    .action((mbom: string, paths: string[], flags: VerifyFlags) =>
      run((now) => verification(mbom, paths, flags, now)),
    );
  const exporting = new Command('export')
    .summary('write an MBOM as CycloneDX')
    .argument('<mbom>', 'model.mbom.yaml')
    .addOption(
      new Option('--spec-version <version>', 'version of CycloneDX').choices(['1.6', '1.7']).default('1.6'),
    )
    .option('-o, --output <file>', 'write it to a file, whole or not at all')
    .action((mbom: string, flags: ExportFlags) => run((now) => exportation(mbom, flags, now)));
  return [create, verify, exporting];
}

async function creation(paths: readonly string[], flags: CreateFlags, now: Run): Promise<number> {
  const { output, signingKey, ...parts } = flags;
  await checkOutput(output, paths);
  const key = signingKey === undefined ? {} : { signingKey: readInput(signingKey, 'public key') };
  const { signal, onProgress, measured } = now;
  const { root, files, errors } = await digestModel(paths, { signal, onProgress });
  measured();
  for (const { code, file, message } of errors) say(`error ${code}: ${file}: ${message}`);
  if (errors.length > 0) return 2;
  const ignore = [insideOf(root, output)].filter((path) => path !== null);
  const name = basename(paths.length === 1 ? resolve(paths[0]!) : root);
  const text = createMbom(files, { name, ...parts, ...key, ignore });
  await writeFileWhole(output, [text], signal);
  const { model, files: listed } = readMbom(Buffer.from(text));
  say(`${model.digest}, ${counted(listed.length, 'file')}; the MBOM is in ${output}`);
  return 0;
}

async function verification(
  mbom: string,
  paths: readonly string[],
  { signature, ...flags }: VerifyFlags,
  now: Run,
): Promise<number> {
  if (signature === undefined && Object.keys(flags).length > 0) {
    throw new SteelyardError('USAGE', 'who must have signed is said, but no --signature is given');
  }
  const document = readInput(mbom, 'MBOM');
  const signed =
    signature === undefined ? {} : { signature: { bundle: readSignature(signature), trust: trustOf(flags) } };
  const { signal, onProgress, measured } = now;
  const named = paths.length === 0 ? [dirname(resolve(mbom))] : paths;
  const { root, files, errors } = await digestModel(named, { signal, onProgress });
  measured();
  const evidence = signature === undefined ? [mbom] : [mbom, signature];
  const ignore = evidence.map((path) => insideOf(root, path)).filter((path) => path !== null);
  return print(outcomeText(verifyMbom(document, files, { ...signed, ignore }), errors));
}

async function exportation(mbom: string, { output, specVersion }: ExportFlags, now: Run): Promise<number> {
  if (output !== undefined) await checkOutput(output, [mbom]);
  const text = exportCycloneDx(readMbom(readInput(mbom, 'MBOM')), specVersion);
  if (output === undefined) await writeStdout([text]);
  else await writeFileWhole(output, [text], now.signal);
  return 0;
}

function part(text: string): Part {
  const [, name, digest] = /^(.+)@(sha256:[0-9a-f]{64})$/.exec(text) ?? [];
  if (name !== undefined && digest !== undefined) return { name, digest };
  throw new InvalidArgumentError('It must be pinned by a digest: name@sha256:…');
}
