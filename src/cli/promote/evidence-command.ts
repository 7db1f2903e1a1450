// `steelyard evidence`: what a release has to show, and how it gets there.
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Command, Option } from 'commander';
import { inert } from '../../document/text/inert.ts';
import { digestOf, sortEvidence } from '../../gate/claim/piece.ts';
import { assertAbout, namesIn, performanceStatement, statementAround } from '../../gate/evidence/writing.ts';
import { gate } from '../../gate/gate.ts';
import { imageFacts } from '../../gate/image/image.ts';
import { imageFromRegistry } from '../../gate/image/registry.ts';
import { mbomIn, readEvidenceFolder, readPlain } from '../../gate/input/folder.ts';
import { settled } from '../../gate/verdict/denial.ts';
import type { Verdict } from '../../gate/verdict/verdict.ts';
import { denialLine } from '../../gate/verdict/verdict-text.ts';
import { readMbom } from '../../proof/bom/mbom-document.ts';
import { signDocument } from '../../proof/sign/sign.ts';
import { readInput } from '../option/input.ts';
import { type KeyFlags, signingKey, withKey } from '../option/key-option.ts';
import { usage } from '../option/trust-options.ts';
import { type Run, run } from '../run.ts';
import { say } from '../terminal/message.ts';
import { checkOutput, writeStdout } from '../terminal/output.ts';
import { withRelease } from './gate-command.ts';
import { currentOf, type ReleaseFlags, readRelease, timeOf } from './release-input.ts';

type About = 'image' | 'model' | 'release';

interface SignFlags extends KeyFlags {
  readonly release: string;
  readonly for: About;
  readonly output: string;
  readonly statement?: true;
}

interface PerformanceFlags extends KeyFlags {
  readonly release: string;
  readonly baseline: string;
  readonly configuration: string;
  readonly output: string;
  readonly now?: string;
}

export function evidenceCommand(): Command {
  const list = withRelease(new Command('list'))
    .summary('list every evidence file, and which controls it counts for')
    .action((path: string, flags: ReleaseFlags) => run((context) => listed(path, flags, context)));
  const sign = withKey(new Command('sign'), true)
    .summary('check that a report is about this release, and sign it')
    .argument('<file>', 'what a scanner wrote')
    .requiredOption('--release <folder>', 'the release that it is evidence for')
    .addOption(
      new Option('--for <what>', 'what it is about')
        .choices(['image', 'model', 'release'])
        .makeOptionMandatory(),
    )
    .option(
      '--statement',
      'as a statement about that digest (SBOM, VEX), instead of a signature over the bytes',
    )
    .requiredOption(
      '-o, --output <file>',
      'FILE.sigstore.json beside the file; with --statement, a .intoto.jsonl',
    )
    .action((file: string, flags: SignFlags) => run((context) => signed(file, flags, context)));
  const image = new Command('image')
    .summary('fetch what proves an image, and what is attached to it, from its registry')
    .argument('<image>', 'registry.example/name@sha256:…')
    .requiredOption('-o, --output <folder>', 'evidence/image; written only if everything could be fetched')
    .action((reference: string, flags: { output: string }) =>
      run((context) => fetched(reference, flags.output, context)),
    );
  const performance = withKey(new Command('performance'), true)
    .summary('sign measured numbers as a test result about a release')
    .argument('<metrics>', '{"metrics": [{"name", "comparator", "threshold", "value", "baseline"}]}')
    .requiredOption('--release <folder>', 'the release that was measured')
    .requiredOption('--baseline <digest>', 'the release that it is compared with, or none')
    .requiredOption('--configuration <file>', 'what the tests were configured by')
    .requiredOption('-o, --output <file>', 'evidence/performance.intoto.jsonl')
    .option('--now <time>', 'when it was measured (default: now)')
    .action((metrics: string, flags: PerformanceFlags) =>
      run((context) => measured(metrics, flags, context)),
    );
  const evidence = new Command('evidence').summary('show, fetch and sign the evidence of a release');
  for (const one of [list, sign, image, performance]) evidence.addCommand(one);
  return evidence;
}

async function listed(path: string, flags: ReleaseFlags, context: Run): Promise<number> {
  const { release, policy, now, current } = await readRelease(path, flags, context);
  const verdict = gate(release, policy, { now, current });
  const uses = usesOf(verdict);
  const lines = release.evidence.map(({ path: file, digest }) => {
    const use = uses.get(file) ?? ['found by its digest where something names it'];
    return `${digest.slice(0, 19)}…  ${inert(file)}\n${use.map((text) => `    ${text}`).join('\n')}`;
  });
  await writeStdout([`${lines.join('\n')}\n`]);
  return 0;
}

function usesOf(verdict: Verdict): ReadonlyMap<string, string[]> {
  const uses = new Map<string, string[]>();
  const put = (file: string, text: string): void => void uses.set(file, [...(uses.get(file) ?? []), text]);
  for (const { id, evidence } of verdict.controls)
    for (const { file, kind, by, time } of evidence)
      put(file, `counts for ${id}: ${kind} by ${inert(by)}${time === null ? '' : `, made ${time}`}`);
  for (const { person, digest } of verdict.approvals.counted) {
    const found = verdict.reviewed.find((one) => one.digest === digest);
    put(found?.name ?? `approval ${digest}`, `counts as the approval of ${person}`);
  }
  for (const { file, reason } of verdict.unused) put(file, `does not count: ${inert(reason, 300)}`);
  for (const denial of [...verdict.refusals, ...verdict.approvals.notCounted])
    if (denial.file !== undefined)
      put(denial.file.replace(/:\d+$/, ''), `refused:${denialLine(denial).slice(3)}`);
  return uses;
}

async function signed(file: string, flags: SignFlags, { write }: Run): Promise<number> {
  await checkOutput(flags.output, [file]);
  const key = await signingKey(flags, process.env);
  const bytes = readInput(file, 'evidence');
  const { digest, ours } = aboutOf(flags.release, flags.for);
  const tried = settled(() => {
    const { names } = namesIn(bytes);
    if (flags.for === 'image' && names !== null) assertAbout(names, ours);
    return flags.statement ? statementAround(bytes, digest, key) : signDocument(bytes, key);
  });
  if (tried.denials !== undefined) {
    await writeStdout(tried.denials.map((denial) => `${denialLine(denial).trimStart()}\n`));
    say('not signed');
    return 1;
  }
  await write(flags.output, [await tried.value]);
  say(`signed ${basename(file)} for ${digest}; the signature is in ${flags.output}`);
  return 0;
}

/** The digest that evidence must be about, and what else leads to it. */
function aboutOf(
  folder: string,
  about: About,
): { readonly digest: string; readonly ours: readonly string[] } {
  const bytes = readPlain(mbomIn(folder));
  const mbom = readMbom(bytes);
  if (about === 'release') return { digest: digestOf(bytes), ours: [] };
  if (about === 'model') return { digest: mbom.model.digest, ours: [] };
  if (mbom.runtimeImage === undefined) throw usage('the MBOM names no image');
  const pieces = sortEvidence(readEvidenceFolder(join(folder, 'evidence'), 'evidence'));
  const { digest, platforms } = imageFacts(mbom.runtimeImage, pieces);
  return { digest, ours: [digest, ...platforms.map(({ manifest }) => manifest)] };
}

async function fetched(reference: string, folder: string, { signal, write }: Run): Promise<number> {
  const files = await imageFromRegistry(reference, { env: process.env, signal });
  mkdirSync(folder, { recursive: true });
  // Names are made from digests here: nothing that the registry says is a path.
  for (const { name, bytes } of files) await write(join(folder, name), [bytes.toString('utf8')]);
  say(`${files.length} files of ${reference} are in ${folder}; what is signed by whom, the gate asks`);
  return 0;
}

async function measured(metrics: string, flags: PerformanceFlags, { write }: Run): Promise<number> {
  await checkOutput(flags.output, [metrics]);
  const baseline = currentOf(flags.baseline) ?? null;
  const key = await signingKey(flags, process.env);
  const configuration = {
    name: basename(flags.configuration),
    digest: digestOf(readInput(flags.configuration, 'configuration')),
  };
  const text = {
    release: aboutOf(flags.release, 'release').digest,
    baseline,
    configuration,
    time: timeOf(flags.now),
  };
  const tried = settled(() => performanceStatement(readInput(metrics, 'metrics'), text, key));
  if (tried.denials !== undefined) throw usage(`the metrics cannot be used: ${tried.denials[0].message}`);
  const { bundle, passed, failed } = tried.value;
  await write(flags.output, [await bundle]);
  say(
    `${passed.length} passed, ${failed.length} failed${failed.length === 0 ? '' : ` (${failed.join(', ')})`}; signed in ${flags.output}`,
  );
  return failed.length === 0 ? 0 : 1;
}
