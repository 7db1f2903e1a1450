// `steelyard find`: which releases contain this? As grep: 0 found, 1 not found, 2 something could not be read.

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Command, Option } from 'commander';
import { jsonText } from '../../../document/json/chunks.ts';
import { inert } from '../../../document/text/inert.ts';
import { type Found, type ReleaseFiles, searchRelease } from '../../../gate/incident/find.ts';
import { type Query, readQuery } from '../../../gate/incident/query.ts';
import { mbomsBelow, readReleaseFiles } from '../../../gate/incident/walk.ts';
import { provenMbom } from '../../../gate/input/release-bytes.ts';
import type { GatePolicy } from '../../../gate/release-policy/release-policy.ts';
import { settled } from '../../../gate/verdict/denial.ts';
import { SteelyardError } from '../../../rules/error.ts';
import { readInput } from '../../option/input.ts';
import { usage } from '../../option/trust-options.ts';
import { type Run, run } from '../../run.ts';
import { say } from '../../terminal/message.ts';
import { writeStdout } from '../../terminal/output.ts';
import { policyOf } from '../release-input.ts';

interface Flags {
  readonly policy?: string;
  readonly logs?: readonly string[];
  readonly format: 'text' | 'json';
}

interface Answer extends Found {
  /** Who signed the MBOM, by the policy; null: no policy was given. false: nobody who is listed. */
  readonly signedBy: string | false | null;
}

export function findCommand(): Command {
  return new Command('find')
    .summary('which releases contain this digest, package, vulnerability, or signature by a key')
    .description(
      'Reads every *.mbom.yaml below the folders, with profiles and evidence beside it. Exit 0: found; 1: not found; 2: something could ' +
        'not be read, and may be the one.',
    )
    .argument('<query>', 'sha256:… of anything, pkg:…, CVE-… or GHSA-…, key:FILE (public key)')
    .argument('[folder...]', 'where releases lie')
    .option(
      '--policy <file>',
      'say of each release whether its MBOM is still signed as this gate policy asks',
    )
    .option(
      '--logs <file...>',
      'histories and logs of drift (JSON lines): where a release that was found was seen',
    )
    .addOption(new Option('--format <format>', 'of the answer').choices(['text', 'json']).default('text'))
    .action((query: string, folders: string[], flags: Flags) =>
      run((context) => find(query, folders, flags, context)),
    );
}

async function find(
  text: string,
  folders: readonly string[],
  flags: Flags,
  { signal }: Run,
): Promise<number> {
  if (folders.length === 0) throw usage('name the folders where releases lie');
  const query = readQuery(text, (path) => readInput(path, 'public key'));
  const policy = flags.policy === undefined ? null : policyOf(flags.policy, []);
  const found: Answer[] = [];
  const unreadable: { path: string; message: string }[] = [];
  let searched = 0;
  for (const folder of folders) {
    for (const path of mbomsBelow(folder)) {
      signal.throwIfAborted();
      searched++;
      look(path, query, policy, found, unreadable);
    }
  }
  const seen = await sightings(flags.logs ?? [], found, signal);
  for (const { path, message } of unreadable) say(`error: ${path}: ${message}`);
  const answer = { schema: 'steelyard/found/1', query: text, searched, found, seen, unreadable };
  await writeStdout([flags.format === 'json' ? jsonText(answer) : page(answer)]);
  if (unreadable.length > 0 || searched === 0) return 2;
  return found.length > 0 ? 0 : 1;
}

function look(
  path: string,
  query: Query,
  policy: GatePolicy | null,
  found: Answer[],
  unreadable: { path: string; message: string }[],
): void {
  try {
    const files = readReleaseFiles(path);
    const one = searchRelease(files, query);
    if (one !== null) found.push({ ...one, signedBy: policy === null ? null : signerOf(files, policy) });
  } catch (error) {
    if (!(error instanceof SteelyardError)) throw error;
    unreadable.push({ path, message: error.message });
  }
}

function signerOf({ mbom, beside, evidence }: ReleaseFiles, policy: GatePolicy): string | false {
  const mbomSignature = beside.find(({ path }) => path === `${mbom.path}.sigstore.json`)?.bytes ?? null;
  const names = policy.json.release.mbom.signedBy;
  const identities = policy.identities.filter(({ name }) => names.includes(name));
  const release = { mbom, mbomSignature, modelSignature: null, files: [], config: [], evidence, scan: null };
  return settled(() => provenMbom(release, identities, new Date())).value?.by ?? false;
}

interface Sighting {
  readonly release: string;
  readonly file: string;
  readonly lines: number;
  readonly first: string;
  readonly last: string;
}

/** Lines of drift that name a release: which targets served it, and when. */
async function sightings(
  logs: readonly string[],
  found: readonly Answer[],
  signal: AbortSignal,
): Promise<Sighting[]> {
  const seen: Sighting[] = [];
  for (const file of logs) {
    const times = new Map<string, string[]>();
    for await (const line of createInterface({
      input: createReadStream(file),
      crlfDelay: Number.POSITIVE_INFINITY,
    })) {
      signal.throwIfAborted();
      for (const { release } of found) {
        if (!line.includes(release)) continue;
        const [, at] = /"at":"([^"]{1,40})"/.exec(line) ?? [];
        times.set(release, [...(times.get(release) ?? []), at ?? '']);
      }
    }
    for (const [release, list] of times) {
      const sorted = list.sort();
      seen.push({ release, file, lines: list.length, first: sorted[0]!, last: sorted.at(-1)! });
    }
  }
  return seen;
}

function page({
  found,
  seen,
  searched,
}: {
  found: readonly Answer[];
  seen: readonly Sighting[];
  searched: number;
}): string {
  const lines = found.flatMap(({ release, name, path, where, promoted, signedBy }) => [
    `${release}  ${inert(name)}`,
    `  ${inert(path)}`,
    ...where.slice(0, 20).map((one) => `  found: ${inert(one)}`),
    ...(where.length > 20 ? [`  and ${where.length - 20} more places`] : []),
    promoted === null
      ? '  no verdict beside it promoted it'
      : `  promoted for ${inert(promoted.environment)} at ${inert(promoted.time)}`,
    ...(signedBy === null
      ? []
      : [
          signedBy === false
            ? '  the MBOM is not signed as the policy asks'
            : `  the MBOM is signed by ${signedBy}`,
        ]),
    ...seen
      .filter((one) => one.release === release)
      .map(
        ({ file, lines: count, first, last }) =>
          `  seen in ${inert(file)}: ${count} lines, ${inert(first)} to ${inert(last)}`,
      ),
  ]);
  return `${[...lines, `${found.length} of ${searched} releases`].join('\n')}\n`;
}
