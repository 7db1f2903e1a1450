// `steelyard lint`: manifests of a model server, held against the rules and against the release.

import { Command, Option } from 'commander';
import { jsonText } from '../../document/json/chunks.ts';
import { painter } from '../../document/text/frame.ts';
import { SteelyardError } from '../../rules/error.ts';
import { SEVERITIES, type Severity } from '../../rules/rules.ts';
import type { LintOptions, Manifest } from '../../serving/lint/lint.ts';
import { readPolicy, today } from '../option/comparison-options.ts';
import { readInput } from '../option/input.ts';
import { checkReports, type ReportFlags, withReports, writeReports } from '../option/report-options.ts';
import { type Run, run } from '../run.ts';
import { wantsColour } from '../terminal/colour.ts';
import { checkOutput } from '../terminal/output.ts';
import { readPiped } from './pipe.ts';

interface Flags extends ReportFlags {
  readonly bom?: string;
  readonly policy?: string;
  readonly failOn?: Severity | 'none';
  readonly format: 'text' | 'json';
  readonly output?: string;
  readonly quiet?: true;
}

const HELP = `
Examples:
  steelyard lint deployment.yaml netpol.yaml                 manifests that are applied together
  steelyard lint --bom model.mbom.yaml serving.yaml          is it the image, and the model, of the release
  helm template chart | steelyard lint -                     what a template renders to
  kubectl kustomize overlays/prod | steelyard lint - --format json -o serving.json
  steelyard lint Dockerfile compose.yaml
  steelyard explain model/writable

Exit codes:
  0    pass: every file was read, no finding at or above --fail-on
  1    fail: a finding at or above --fail-on
  2    no verdict: a file could not be read, a template was not rendered, nothing runs a container, bad usage
  130  interrupted (143: terminated)
`;

/** One manifest may be this large; the lint itself refuses what is larger. */
const SIZE = 2 ** 23;

export function lintCommand(): Command {
  return withReports(new Command('lint'))
    .summary('check manifests of a model server: image, rights, model source, loading, egress')
    .description('Checks Kubernetes manifests, compose files, Dockerfiles and OCI image configurations.')
    .argument('<file...>', 'manifests; - reads standard input')
    .option('--bom <file>', 'the MBOM of the release that the manifests serve')
    .option('--policy <file>', 'severities, --fail-on and waivers')
    .addOption(
      new Option('--fail-on <severity>', 'exit 1 on findings of this severity or higher').choices([
        'none',
        ...SEVERITIES,
      ]),
    )
    .addOption(
      new Option('--format <format>', 'format of the report').choices(['text', 'json']).default('text'),
    )
    .option('-o, --output <file>', 'write the report to a file, whole or not at all')
    .option('-q, --quiet', 'leave out the list of what was read')
    .addHelpText('after', HELP)
    .action((files: string[], flags: Flags) => run((context) => linted(files, flags, context)));
}

async function linted(files: readonly string[], flags: Flags, context: Run): Promise<number> {
  const { lint, releaseOf, servingText } = await import('../../serving/lint/lint.ts');
  const { bom, policy, failOn, format, output, quiet } = flags;
  if (output !== undefined) await checkOutput(output, files);
  await checkReports(flags, files);
  const options: LintOptions = {
    failOn,
    signal: context.signal,
    ...(bom === undefined ? {} : { release: releaseOf(readInput(bom, 'MBOM')) }),
    ...(policy === undefined ? {} : { policy: await readPolicy(policy), today: today() }),
  };
  const report = await lint(await manifestsOf(files, context.signal), options);
  context.measured();
  const colour = output === undefined && wantsColour(process.stdout, process.env);
  const text = format === 'json' ? jsonText(report) : servingText(report, painter(colour), quiet ?? false);
  await context.write(output, [text]);
  await writeReports(report, flags, [], context);
  return { pass: 0, fail: 1, error: 2 }[report.verdict.outcome];
}

async function manifestsOf(files: readonly string[], signal: AbortSignal): Promise<Manifest[]> {
  if (files.filter((file) => file === '-').length > 1)
    throw new SteelyardError('USAGE', 'standard input can be read once: name - once');
  const manifests: Manifest[] = [];
  for (const file of files) {
    const bytes = file === '-' ? await readPiped(SIZE, signal) : readInput(file, 'manifest', SIZE);
    manifests.push({ file: file === '-' ? 'stdin' : file, bytes });
  }
  return manifests;
}
