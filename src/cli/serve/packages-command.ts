// `steelyard drift packages`: are the installed packages those of the bill of materials?
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { inert } from '../../document/text/inert.ts';
import { verifyDocument } from '../../proof/sign/verify.ts';
import { entriesOf } from '../../runtime/folder.ts';
import { driftLine, type PackagesRecord } from '../../serving/drift/drift.ts';
import {
  type Allowance,
  comparePackages,
  type Ecosystem,
  packageName,
  READERS,
  readSbom,
} from '../../serving/packages/packages.ts';
import { readInput } from '../option/input.ts';
import { readSignature } from '../option/mbom-options.ts';
import { checkReports, type ReportFlags, withReports, writeReports } from '../option/report-options.ts';
import { type TrustFlags, trustOf, usage, withTrust } from '../option/trust-options.ts';
import { outcomeText, signerText } from '../prove/outcome.ts';
import { type Run, run } from '../run.ts';
import { writeStdout } from '../terminal/output.ts';
import { appendLine } from './history.ts';
import { readPiped } from './pipe.ts';

interface Flags extends TrustFlags, ReportFlags {
  readonly sbom: string;
  readonly signature?: string;
  readonly pip?: string;
  readonly dpkg?: string | true;
  readonly apk?: string | true;
  readonly npm?: string;
  readonly allow?: readonly Allowance[];
  readonly history?: string;
  readonly format: 'text' | 'json';
}

const HELP = `
Examples:
  pip inspect --local | steelyard drift packages --sbom image.cdx.json --pip - --dpkg
  npm ls --all --json | steelyard drift packages --sbom image.spdx.json --npm - --allow pkg:npm/undici=2027-01-31

Exit codes:
  0    every installed package is as declared
  1    a package was added, removed or changed, or the SBOM is not signed by whom it must be
  2    no verdict: nothing was compared, the SBOM has no package of a kind that was given, bad usage
`;

const DPKG = '/var/lib/dpkg/status';
const APK = '/lib/apk/db/installed';

export function packagesCommand(): Command {
  return withReports(withTrust(new Command('packages')))
    .summary('compare installed packages with an SBOM')
    .description(
      'Compares what package managers report with CycloneDX or SPDX, by package URL. Nothing is run: give what they keep or print. ' +
        '- reads standard input.',
    )
    .requiredOption('--sbom <file>', 'the bill of materials, as JSON')
    .option('--signature <file>', 'a signature over the SBOM, checked first')
    .option('--pip <file>', 'what `pip inspect --local` prints')
    .option('--dpkg [file]', `dpkg's status, a file or a folder (default: ${DPKG})`)
    .option('--apk [file]', `apk's database (default: ${APK})`)
    .option('--npm <file>', 'what `npm ls --all --json` prints')
    .option('--allow <package=day...>', 'accept a change up to a day: pkg:pypi/pip=2027-01-31', allowance)
    .option('--history <file>', 'append the record: a JSON line (steelyard/drift/1)')
    .addOption(
      new Option('--format <format>', 'for people, or a JSON line').choices(['text', 'json']).default('text'),
    )
    .addHelpText('after', HELP)
    .action((_flags: object, command: Command) =>
      run((context) => packages(command.optsWithGlobals<Flags>(), context)),
    );
}

async function packages(flags: Flags, context: Run): Promise<number> {
  const { sbom: file, signature, pip, dpkg, apk, npm, allow = [], history, format, ...rest } = flags;
  await checkReports(flags, []);
  const document = readInput(file, 'SBOM');
  const signer =
    signature === undefined ? null : verifyDocument(document, readSignature(signature), trustOf(rest));
  if (signer !== null && !signer.verified) {
    const { text, code } = outcomeText(signer, []);
    await writeStdout([text]);
    return code;
  }
  const given: readonly (readonly [Ecosystem, string | undefined])[] = [
    ['pypi', pip],
    ['deb', dpkg === true ? DPKG : dpkg],
    ['apk', apk === true ? APK : apk],
    ['npm', npm],
  ];
  const sources = given.filter((one): one is readonly [Ecosystem, string] => one[1] !== undefined);
  if (sources.length === 0) throw usage('say what is installed: --pip, --dpkg, --apk or --npm');
  if (sources.filter(([, path]) => path === '-').length > 1)
    throw usage('only one list can come from standard input');
  const inventories = [];
  for (const [ecosystem, path] of sources) {
    inventories.push({
      ecosystem,
      packages: READERS[ecosystem](await contentOf(path, context.signal), path),
    });
  }
  const now = new Date();
  const record: PackagesRecord = {
    schema: 'steelyard/drift/1',
    kind: 'packages',
    at: now.toISOString(),
    sbom: `sha256:${createHash('sha256').update(document).digest('hex')}`,
    signer: signer === null ? null : signerText(signer.signer),
    ...comparePackages(readSbom(document, file), inventories, allow, now.toISOString().slice(0, 10)),
  };
  if (history !== undefined) await appendLine(history, driftLine(record));
  await writeStdout([format === 'json' ? driftLine(record) : textOf(record)]);
  await writeReports(record, flags, [], context);
  return record.exitCode;
}

/** Images without a package manager keep dpkg's status in one file for each package. */
async function contentOf(path: string, signal: AbortSignal): Promise<Buffer> {
  if (path === '-') return readPiped(128 * 2 ** 20, signal);
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return readInput(path, 'list of packages');
  const names = entriesOf(path)
    .map(({ name }) => name)
    .filter((name) => !name.endsWith('.md5sums'));
  return Buffer.concat(
    names.sort().flatMap((name) => [readInput(join(path, name), 'package'), Buffer.from('\n\n')]),
  );
}

const VERDICTS = ['NO DRIFT', 'DRIFTED', 'NO VERDICT'] as const;

function textOf({ changes, compared, notCompared, signer, exitCode }: PackagesRecord): string {
  const versions = (list: readonly string[]): string =>
    list.length === 0 ? 'none' : list.map((one) => inert(one)).join(', ');
  return [
    ...changes.map(
      (one) =>
        `${one.change.padEnd(8)}  ${inert(one.package)}: declared ${versions(one.declared)}, installed ${versions(one.found)}` +
        (one.allowed === null ? '' : `  (allowed ${one.allowed})`),
    ),
    ...compared.map(({ ecosystem, declared, found }) =>
      declared === 0
        ? `${ecosystem}: the SBOM declares none, ${found} installed: nothing was compared`
        : `${ecosystem}: ${declared} declared, ${found} installed`,
    ),
    `not compared: ${notCompared} entries of the SBOM`,
    `SBOM: ${signer ?? 'nobody was asked who wrote it'}`,
    `${VERDICTS[exitCode]!}   exit ${exitCode}`,
    '',
  ].join('\n');
}

function allowance(text: string, before: readonly Allowance[] = []): readonly Allowance[] {
  const at = text.lastIndexOf('=');
  const [name, until] = [packageName(text.slice(0, at)), text.slice(at + 1)];
  if (name === null || !/^\d{4}-\d\d-\d\d$/.test(until)) {
    throw new InvalidArgumentError(
      'It must be a package URL without version, and the last day: pkg:pypi/pip=2027-01-31.',
    );
  }
  return [...before, { package: name, until }];
}
