// `steelyard sign`: scan, and sign what was scanned; or sign the exact bytes of an MBOM.
import { statSync } from 'node:fs';
import { basename, relative, resolve } from 'node:path';
import { Command, Option } from 'commander';
import {
  type FailOn,
  modelRoot,
  type Report,
  readMbom,
  SEVERITIES,
  scan,
  signDocument,
  signModel,
} from '../index.ts';
import { counted } from '../report/quantity.ts';
import { readInput } from './input.ts';
import { type KeyFlags, signingKey, withKey } from './key.ts';
import { say } from './message.ts';
import { checkOutput, writeFileWhole } from './output.ts';
import { type Run, run } from './run.ts';
import { usage } from './trust.ts';

interface Flags extends KeyFlags {
  readonly output: string;
  readonly failOn: FailOn;
}

export function signCommand(): Command {
  return withKey(new Command('sign'))
    .summary('sign a model, or an MBOM')
    .description(
      'Scans a model and signs the names and digests of its files (OpenSSF Model Signing v1.0). A model whose scan fails is ' +
        'not signed. A single FILE.mbom.yaml is signed as it is, byte for byte, as `cosign sign-blob` would.',
    )
    .argument('<path...>', 'files and folders of one model, or one MBOM')
    .requiredOption('-o, --output <file>', 'the signature: model.sig')
    .addOption(failOnOption())
    .action((paths: string[], flags: Flags) => run((now) => sign(paths, flags, now)));
}

export const failOnOption = (): Option =>
  new Option('--fail-on <severity>', 'a finding at or above it fails the scan')
    .choices(['none', ...SEVERITIES])
    .default('high');

export const isMbom = (paths: readonly string[]): boolean =>
  paths.length === 1 && paths[0]!.endsWith('.mbom.yaml');

async function sign(paths: readonly string[], flags: Flags, now: Run): Promise<number> {
  const { output } = flags;
  await checkOutput(output, paths);
  const key = signingKey(flags, process.env);
  if (isMbom(paths)) {
    const document = readInput(paths[0]!, 'MBOM');
    const { model, files } = readMbom(document);
    await writeFileWhole(output, [signDocument(document, key)], now.signal);
    say(
      `signed the MBOM of ${model.digest}, ${counted(files.length, 'file')}; the signature is in ${output}`,
    );
    return 0;
  }
  const { report, options } = await scanned(paths, flags, now);
  if (report.verdict.outcome !== 'pass') return refused(report, paths);
  const single = report.files.length === 1 && statSync(paths[0]!).isFile();
  const { bundle, rootDigest, fileCount } = signModel(report.files, key, { ...options, single });
  await writeFileWhole(output, [bundle], now.signal);
  say(`signed ${rootDigest}, ${counted(fileCount, 'file')}; the signature is in ${output}`);
  return 0;
}

/** The report, and what the model is called and leaves out. */
export async function scanned(
  paths: readonly string[],
  { output, failOn }: Pick<Flags, 'output' | 'failOn'>,
  { signal, onProgress, measured }: Run,
) {
  // Links are no part of what is signed: allow_symlinks is false, and another verifier refuses them.
  const report = await scan(paths, { failOn, followSymlinks: 'never', signal, onProgress });
  measured();
  const root = modelRoot(paths);
  const inside = relative(root, resolve(output));
  const name = basename(paths.length === 1 ? resolve(paths[0]!) : root);
  if (name === '') throw usage('the root of the file system is no model');
  return { report, options: { name, ignore: inside.startsWith('..') ? [] : [inside] } };
}

function refused({ verdict, findings, errors }: Report, paths: readonly string[]): number {
  const [first] = verdict.outcome === 'fail' ? findings.filter(isWorst(findings)) : [];
  const [error] = errors;
  if (first !== undefined) say(`${first.severity}: ${first.file}: ${first.message} (${first.rule})`);
  else if (error !== undefined) say(`error ${error.code}: ${error.file}: ${error.message}`);
  const what = verdict.outcome === 'fail' ? 'the scan failed' : 'not everything could be looked at';
  say(`not signed: ${what}; see steelyard scan ${paths.join(' ')}`);
  return verdict.outcome === 'fail' ? 1 : 2;
}

function isWorst(findings: Report['findings']): (finding: Report['findings'][number]) => boolean {
  const worst = Math.max(...findings.map(({ severity }) => SEVERITIES.indexOf(severity)));
  return ({ severity }) => SEVERITIES.indexOf(severity) === worst;
}
