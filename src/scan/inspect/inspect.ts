// What the files of a model give away on their own. Pure; the event loop may turn between two inspections, and each of them hears
// the time.
import type { Violation } from '../../document/violations.ts';
import { type Finding, sortFindings, toFinding } from '../../rules/finding.ts';
import type { RuleId } from '../../rules/rules.ts';
import { type Check, inTurns, turns, unhurried } from '../../runtime/turn.ts';
import type { MeasuredFile } from '../measure/measured.ts';
import type { Profile } from '../profile/profile.ts';
import type { FileTemplates } from '../profile/template/collect.ts';
import { inspectAdapters } from './adapter/adapter.ts';
import { inspectBeside, isPiece } from './beside.ts';
import { inspectHeader } from './header.ts';
import { inspectModelConfigs } from './metadata/model-config.ts';
import { inspectPaths } from './names/paths.ts';
import { inspectShards } from './shards/shards.ts';
import { inspectForensics } from './values/forensics.ts';
import { inspectGroups } from './values/groups.ts';
import { inspectValues } from './values/values.ts';
import { inspectZeroRuns } from './values/zero-runs.ts';

interface Inspected {
  readonly profile: Profile;
  readonly files: readonly MeasuredFile[];
  /** Those of each file. */
  readonly templates: readonly FileTemplates[];
  /** Paths of the files that could not be measured. */
  readonly unread: ReadonlySet<string>;
  /** What the listing found of transfers that were begun. */
  readonly unfinished?: readonly string[];
  /** The model that adapters are for. */
  readonly base: Profile | undefined;
  /** Whether traces of payloads were measured. */
  readonly forensics: boolean;
  /** Thrown from where the time is over. */
  readonly check?: Check;
  /** What each inspection found is added, so that it is known where a later one does not come to its end. */
  readonly found?: Finding[];
}

export async function inspect(inspected: Inspected): Promise<Finding[]> {
  const {
    profile,
    files,
    templates,
    unread,
    base,
    forensics,
    check = unhurried,
    found: all = [],
  } = inspected;
  const inspections: readonly (() => Finding[] | Promise<Finding[]>)[] = [
    () =>
      files.flatMap(({ entry: { path }, violations }) =>
        violations.filter(isOwn(path)).map((v) => toFinding({ ...v, file: path })),
      ),
    () => headerFindings(files, check),
    () => inspectValues(profile, check),
    () => inspectGroups(profile, fp8Folders(files), check),
    () => (forensics ? inspectForensics(files, check) : []),
    () => inspectShards(files, unread, check),
    () => inspectModelConfigs(files, unread),
    () => inspectBeside(files, inspected.unfinished ?? []),
    () => inspectZeroRuns(files),
    () => inspectPaths([...files.map(({ entry }) => entry.path), ...unread], check),
    () => inspectAdapters(profile, files, base, check),
    () => tokenizerFindings(files, templates, check),
    () => templateFindings(files, templates, check),
  ];
  const turn = turns(check);
  for (const inspection of inspections) {
    for (const one of await inspection()) all.push(one);
    await turn();
  }
  return sortFindings(all);
}

/** Where a piece of a file ends is no damage of it. */
const isOwn =
  (path: string) =>
  ({ rule }: Violation): boolean =>
    !(isPiece(path) && CUT.has(rule));
const CUT = new Set<RuleId>(['tensor/out-of-bounds', 'header/truncated', 'file/foreign']);

async function tokenizerFindings(
  files: readonly MeasuredFile[],
  templates: readonly FileTemplates[],
  check: Check,
): Promise<Finding[]> {
  const isAny = files.some(({ entry, layout }) =>
    layout === null
      ? TOKENIZERS.test(entry.path)
      : layout.metadata.some(({ key }) => key === 'tokenizer.ggml.tokens'),
  );
  return isAny
    ? (await import('./template/tokenizer/tokenizer.ts')).inspectTokenizers(files, templates, check)
    : [];
}

const TOKENIZERS = /(?:^|\/)(?:tokenizer|special_tokens_map|vocab|added_tokens)[^/]*\.json$/i;

/** The reader of templates is a third of all inspection, and most weights come without one. */
async function templateFindings(
  files: readonly MeasuredFile[],
  templates: readonly FileTemplates[],
  check: Check,
): Promise<Finding[]> {
  const isAny = templates.some(
    (one) => one.templates.length > 0 || one.problems.length > 0 || one.announced !== null,
  );
  return isAny ? (await import('./template/template.ts')).inspectTemplates(files, templates, check) : [];
}

/** Where config.json says that weights are fp8. */
const fp8Folders = (files: readonly MeasuredFile[]): Set<string> =>
  new Set(
    files
      .filter(({ quantised }) => quantised !== undefined && /fp8/.test(quantised))
      .map(({ entry: { path } }) => path.slice(0, path.lastIndexOf('/') + 1)),
  );

async function headerFindings(files: readonly MeasuredFile[], check: Check): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const { entry, layout } of files) {
    const violations = layout === null ? [] : await inTurns(inspectHeader(layout), check);
    found.push(...violations.map((v) => toFinding({ ...v, file: entry.path })));
  }
  return found;
}
