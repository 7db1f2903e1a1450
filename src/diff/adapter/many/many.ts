// Many adapters against many: where each suspect stands among the known-good ones, and what that is worth when so many are asked for.
import { basename } from 'node:path';
import { SteelyardError } from '../../../rules/error.ts';
import { type Failure, sortFailures, toFailure } from '../../../rules/finding.ts';
import { Deadline } from '../../../runtime/deadline.ts';
import { VERSION } from '../../../runtime/package.ts';
import { threadsOf } from '../../../scan/measure/measure.ts';
import type { MeasureOptions } from '../../../scan/measure/options.ts';
import type { FollowSymlinks } from '../../../scan/model/links.ts';
import { readSides } from '../../side.ts';
import { ModulePool } from '../adapter-pool.ts';
import type { PopulationRank } from '../adapter-report.ts';
import { type Member, rankAdapters } from '../population.ts';
import { type Known, Members } from './members.ts';

/** How often a suspect that is like the known-good ones may be called odd. */
const LEVEL = 0.05;

export interface PopulationReport {
  readonly schema: 'steelyard/population/1';
  readonly tool: { readonly name: 'steelyard'; readonly version: string };
  /** 'odd': at least one is; 'error': none is, and not all could be judged. */
  readonly outcome: 'even' | 'odd' | 'error';
  /** Known-good adapters that count: copies of each other count once. */
  readonly good: number;
  /** What the adjusted p-value of one that is odd alone is at best; above `level` only several together can be told. */
  readonly leastAdjusted: number | null;
  readonly level: number;
  /** In the order they were given. */
  readonly suspects: readonly SuspectRank[];
  readonly errors: readonly Failure[];
}

export interface SuspectRank extends Omit<PopulationRank, 'count'> {
  readonly name: string;
  readonly verdict: 'even' | 'odd' | 'known' | 'not judged';
}

export type PopulationOptions = Pick<
  MeasureOptions,
  'threads' | 'io' | 'isolate' | 'timeout' | 'signal' | 'onProgress'
> & { readonly followSymlinks?: FollowSymlinks };

/**
 * Ranks each suspect among the known-good adapters by itself, and adjusts the p-values for how many were asked for (Benjamini and
 * Hochberg 1995). Paths are folders or files of one adapter each.
 *
 * @throws SteelyardError USAGE, NOT_FOUND, NATIVE_UNAVAILABLE, LIMIT, ABORTED, INTERNAL. What cannot be read of single adapters is in the report.
 * @example
 * const { outcome, suspects } = await rankSuspects(['lora/a', 'lora/b'], ['incoming/c']);
 */
export async function rankSuspects(
  good: readonly string[],
  suspects: readonly string[],
  options: PopulationOptions = {},
): Promise<PopulationReport> {
  if (good.length === 0 || suspects.length === 0)
    throw new SteelyardError('USAGE', 'a population needs known-good adapters and suspects');
  const deadline = new Deadline(options, 'comparison');
  const { timeout: _, ...others } = options;
  try {
    return await ranked(good, suspects, { ...others, signal: deadline.signal });
  } catch (error) {
    throw deadline.isOver(error) ? deadline.over : error;
  } finally {
    deadline.end();
  }
}

async function ranked(
  good: readonly string[],
  suspects: readonly string[],
  options: Omit<PopulationOptions, 'timeout'>,
): Promise<PopulationReport> {
  const failures: SteelyardError[] = [];
  const pool = new ModulePool(threadsOf(options), options.signal);
  try {
    const members = new Members(pool);
    const known: Member[] = [];
    for await (const one of readAll(good, options, failures)) {
      const member = await members.add(one);
      if (!('copyOf' in member)) known.push(member);
    }
    const asked: Asked[] = [];
    for await (const one of readAll(suspects, options, failures))
      asked.push({ name: one.name, member: await members.suspect(one) });
    return reportOf(known, asked, failures);
  } finally {
    await pool.close();
  }
}

interface Asked {
  readonly name: string;
  readonly member: Member | { readonly copyOf: string };
}

/** So many profiles are held at a time. */
const BATCH = 32;

async function* readAll(
  paths: readonly string[],
  options: Omit<PopulationOptions, 'timeout'>,
  failures: SteelyardError[],
): AsyncGenerator<Known> {
  for (let at = 0; at < paths.length; at += BATCH) {
    const batch = paths.slice(at, at + BATCH);
    for (const [i, side] of (await readSides('suspect', batch, options)).entries()) {
      failures.push(...side.errors);
      yield { name: basename(batch[i]!), side };
    }
  }
}

function reportOf(
  known: readonly Member[],
  asked: readonly Asked[],
  failures: readonly SteelyardError[],
): PopulationReport {
  const unknown = asked.flatMap(({ member }) => ('copyOf' in member ? [] : [member]));
  const ranks = new Map(rankAdapters(known, unknown).map((rank, i) => [unknown[i]!, rank]));
  const suspects = asked.map(({ name, member }) =>
    'copyOf' in member ? copyRank(name, member.copyOf) : suspectRank(name, ranks.get(member)!),
  );
  const judged = suspects.filter(({ pValue }) => pValue !== null).length;
  const has = (verdict: SuspectRank['verdict']): boolean => suspects.some((one) => one.verdict === verdict);
  return {
    schema: 'steelyard/population/1',
    tool: { name: 'steelyard', version: VERSION },
    outcome: has('odd') ? 'odd' : has('not judged') || failures.length > 0 ? 'error' : 'even',
    good: known.length,
    leastAdjusted: judged === 0 ? null : Math.min(1, judged / (known.length + 1)),
    level: LEVEL,
    suspects,
    errors: sortFailures(failures.map(toFailure)),
  };
}

const copyRank = (name: string, owner: string): SuspectRank => ({
  name,
  verdict: 'known',
  pValue: null,
  adjusted: null,
  reason: `it is ${owner}, byte for byte`,
  rank: null,
  statistics: [],
});

function suspectRank(name: string, { count: _, ...rank }: PopulationRank): SuspectRank {
  // Of one suspect nothing is adjusted.
  const adjusted = rank.adjusted ?? rank.pValue;
  const verdict = adjusted === null ? 'not judged' : adjusted <= LEVEL ? 'odd' : 'even';
  return { name, verdict, ...rank, adjusted };
}
