// The spine: paths in, report out, every stage in order.
import type { Mode } from './baseline/compare/mode.ts';
import { assertDay } from './baseline/policy/day.ts';
import type { FailOn, Policy } from './baseline/policy/policy.ts';
import type { Unexamined } from './baseline/policy/unexamined.ts';
import type { Judgement } from './baseline/policy/verdict.ts';
import type { Report } from './baseline/report.ts';
import {
  assertOptions,
  type Checks,
  document,
  flag,
  ofType,
  oneOf,
  type Path,
  pathsOf,
  texts,
} from './document/options.ts';
import { SteelyardError } from './rules/error.ts';
import type { Finding } from './rules/finding.ts';
import { SEVERITIES, severitiesFrom } from './rules/rule.ts';
import { Deadline } from './runtime/deadline.ts';
import { loading } from './runtime/loading.ts';
import { VERSION } from './runtime/package.ts';
import { turns } from './runtime/turn.ts';
import { assertHarmless, firstLook } from './scan/identify/first-look.ts';
import { measureUntil, threadsOf } from './scan/measure/measure.ts';
import { MEASURE_CHECKS, type MeasureOptions } from './scan/measure/options.ts';
import type { Stats } from './scan/measure/record/stats.ts';
import { type FollowSymlinks, followCheck } from './scan/model/links.ts';
import { listModel } from './scan/model/model.ts';
import type { Profile } from './scan/profile/profile.ts';

export interface ScanOptions extends MeasureOptions {
  /** The lowest severity that fails the verdict; default: the policy's, else 'high'. */
  readonly failOn?: FailOn;
  /** What the model is said to be. Departures are the first findings, the worst first. Rows and sketches are measured if it has them. */
  readonly baseline?: Profile;
  /** How the model is said to relate to the baseline; default 'exact'. */
  readonly mode?: Mode;
  /** The model that adapters among the files are for: whether they fit it. */
  readonly base?: Profile;
  /** What the model must be, which findings weigh otherwise, and which are accepted. */
  readonly policy?: Policy;
  /** 'YYYY-MM-DD', needed where the policy has waivers: the library reads no clock. */
  readonly today?: string;
  /** What is demanded of files that nobody looked into and that can run or hold weights. Default: the policy's, else allow. */
  readonly unexamined?: Unexamined;
  /** Digests (`sha256:…`) of such files that are accepted where they must be listed. */
  readonly accept?: readonly string[];
  /** Which links in folders are followed; default: those that stay in the folders named, or in their repo of a Hub cache. */
  readonly followSymlinks?: FollowSymlinks;
  /** Globs of paths that are left out and recorded in the report; USAGE where weights, code or settings would be. */
  readonly exclude?: readonly string[];
  /** Also what Git and the Hub's client keep in the folder, which is left out and counted otherwise. */
  readonly everything?: boolean;
  /** Adds wall-clock figures to the report; everything else is the same from run to run. */
  readonly timing?: boolean;
}

const SCAN_CHECKS: Checks<ScanOptions> = {
  ...MEASURE_CHECKS,
  failOn: oneOf('none', ...SEVERITIES),
  baseline: document,
  mode: oneOf('exact', 'converted', 'derived'),
  base: document,
  policy: document,
  today: ofType('string', "a day, such as '2027-01-31'"),
  unexamined: oneOf('forbid', 'listed', 'allow'),
  accept: texts,
  followSymlinks: followCheck,
  exclude: texts,
  everything: flag,
  timing: flag,
};

/**
 * Scans a model: weight files, folders, or a shard index. Bad content never throws, it becomes findings; a file that cannot
 * be read becomes an error in the report, and the verdict is then never a pass.
 *
 * @throws SteelyardError USAGE, NOT_FOUND, NATIVE_UNAVAILABLE, ABORTED, INTERNAL: when there is no report to put it in.
 */
export async function scan(paths: Path | readonly Path[], options: ScanOptions = {}): Promise<Report> {
  assertOptions(options, SCAN_CHECKS);
  const deadline = new Deadline(options, 'scan');
  try {
    return await scanUntil(deadline, paths, options);
  } finally {
    deadline.end();
  }
}

async function scanUntil(
  deadline: Deadline,
  paths: Path | readonly Path[],
  options: ScanOptions,
): Promise<Report> {
  const begun = performance.now();
  const { check } = deadline;
  const turn = turns();
  const { baseline, mode = 'exact', base, policy, today, failOn, unexamined, accept, ...reading } = options;
  assertComparable(options);
  const model = listModel(pathsOf(paths), {
    follow: options.followSymlinks,
    exclude: options.exclude,
    everything: options.everything,
    check,
  });
  await assertHarmless(model.excluded, check);
  const judged = [baseline, base, policy, unexamined].some((one) => one !== undefined);
  if (
    !judged &&
    model.unscannable.length === 0 &&
    !(await firstLook(model.files, severitiesFrom(failOn ?? 'high'), check))
  )
    throw nothing();
  const measuring = measureUntil(deadline, model.files, {
    ...reading,
    rows: options.rows ?? has(baseline, ({ rows }) => rows !== null),
    sketch: options.sketch ?? has(baseline, ({ sketch }) => sketch !== undefined),
  });
  const stages = loading(import('./baseline/stages.ts'));
  const measured = await measuring;
  const stage = await stages;
  await turn();
  const templates = measured.files.map(stage.templatesOf);
  const profile = stage.buildProfile(measured.files, templates);
  const errors = [...model.unscannable, ...measured.errors].map(stage.toFailure);
  await turn();
  const unread = new Set(errors.map(({ file }) => file));
  const seen: Finding[] = [];
  const { unfinished, leftOut } = model;
  const { files } = measured;
  const forensics = options.forensics ?? false;
  const inspected = { profile, files, templates, unread, unfinished, base, forensics, check, found: seen };
  const inTime = await within(async () => {
    await stage.inspect(inspected);
    if (base !== undefined && !seen.some(({ rule }) => rule === 'adapter/compared'))
      errors.push(stage.toFailure(UNHELD));
  });
  await turn();
  const departures: Finding[] = [];
  if (baseline !== undefined && inTime)
    await within(async () => {
      const { compare, withoutFiles } = await import('./baseline/compare/compare.ts');
      departures.push(...compare(profile, withoutFiles(baseline, unread), mode, check));
      if (!isComparable(profile, baseline)) errors.push(stage.toFailure(UNCOMPARED));
    });
  const found = [...departures, ...stage.oneCause(stage.sortFindings(seen))];
  const judging = { failOn, unexamined, accept };
  let judgement: Judgement | undefined;
  await within(() => {
    judgement = stage.judge(profile, found, errors, { ...judging, policy, today, check });
  });
  // Without the policy's word, what was found counts as it is, and nothing is waived.
  const { findings, verdict } = judgement ?? stage.judge(profile, found, errors, judging);
  // A template that was named itself is examined by itself, and so is a folder of templates that holds no weights at all.
  const named = new Set(model.files.filter((file) => file.named).map(({ path }) => path));
  const onlyText = profile.files.every((file) => !stage.isUnexamined(file));
  const isAlone = profile.files.some(
    ({ path, templates }) => templates.length > 0 && (onlyText || named.has(path)),
  );
  const hasWeights = profile.files.some(({ format }) => format !== null);
  if (verdict.outcome === 'pass' && !hasWeights && !isAlone) throw nothing();
  return {
    schema: 'steelyard/report/1',
    tool: { name: 'steelyard', version: VERSION },
    complete: errors.length === 0,
    verdict,
    ...(leftOut.length === 0 ? {} : { leftOut }),
    ...profile,
    ...inUse(stage.loaderChoices(measured.files, templates)),
    findings,
    errors: stage.sortFailures(errors),
    ...(options.timing ? { timing: timingOf() } : {}),
  };

  /** Whether the stage came to its end; where the time was over, that is an error beside what is known. */
  async function within(work: () => void | Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!deadline.isOver(error)) throw error;
      if (!errors.some(({ file, code }) => file === '' && code === 'LIMIT'))
        errors.push(stage.toFailure(deadline.over));
      return false;
    }
  }

  function timingOf() {
    const seconds = (performance.now() - begun) / 1000;
    const bytes = measured.files.reduce((sum, { size }) => sum + size, 0);
    return {
      seconds,
      bytesPerSecond: bytes / seconds,
      threads: threadsOf(options),
      kernel: measured.files[0]?.kernel ?? 'none',
      files: measured.files.map((file) => ({ path: file.entry.path, seconds: file.seconds })),
    };
  }
}

/** A comparison that compared nothing is no pass. */
const UNHELD = new SteelyardError(
  'NOT_FOUND',
  'nothing was compared with the base model: no file is an adapter with a module that the base has',
);

const inUse = (loaders: NonNullable<Report['loaders']>): Pick<Report, 'loaders'> =>
  loaders.length === 0 ? {} : { loaders };

const UNCOMPARED = new SteelyardError(
  'NOT_FOUND',
  'nothing was held against the baseline: the model and the baseline have no tensor, and no path of a file, in common',
);

/** Tensors on both sides are compared, whatever they are called; files by their paths. */
function isComparable(profile: Profile, baseline: Profile): boolean {
  const paths = new Set(profile.files.map(({ path }) => path));
  const both = profile.tensors.length > 0 && baseline.tensors.length > 0;
  return both || baseline.files.some(({ path }) => paths.has(path));
}

const nothing = (): SteelyardError =>
  new SteelyardError(
    'NOT_FOUND',
    'nothing to examine: no safetensors or GGUF file is among the files named; name a template itself to have it examined alone',
  );

const has = (baseline: Profile | undefined, measured: (stats: Stats) => boolean): boolean =>
  baseline?.tensors.some(({ stats }) => stats !== null && measured(stats)) ?? false;

function assertComparable({ baseline, mode, policy, today }: ScanOptions): void {
  if (baseline === undefined && mode !== undefined)
    throw new SteelyardError(
      'USAGE',
      `mode ${mode} says how a model relates to a baseline, and there is none`,
    );
  assertDay(policy, today);
}
