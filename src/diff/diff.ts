// The spine of a diff: two models in, what is different and what kind of change that is out.
import { basename } from 'node:path';
import { assertOptions, type Checks, document, texts, word } from '../document/options.ts';
import { sortFailures, toFailure } from '../rules/finding.ts';
import { Deadline } from '../runtime/deadline.ts';
import { VERSION } from '../runtime/package.ts';
import type { Check } from '../runtime/turn.ts';
import { MEASURE_CHECKS, type MeasureOptions } from '../scan/measure/options.ts';
import { type FollowSymlinks, followCheck } from '../scan/model/links.ts';
import type { ProfileDocument } from '../scan/profile/document/document.ts';
import type { Known } from './adapter/many/members.ts';
import { fileChanges, metadataChanges } from './files.ts';
import { lookUps } from './grounds.ts';
import { match } from './match.ts';
import type { DiffReport, TensorChange } from './report/diff-report.ts';
import { type ModelSource, readable, readSide, type SideModel, summaryOf } from './side.ts';
import { nameRows } from './tokens.ts';

/**
 * `isolate: 'process'` reads each file in a process first; one that ends it is an error of the report, and no tensor of it is
 * compared. `timeout` holds for the whole comparison: LIMIT when it is over.
 */
export interface DiffOptions
  extends Pick<MeasureOptions, 'threads' | 'io' | 'isolate' | 'timeout' | 'signal' | 'onProgress'> {
  /** Ready profiles: weights are then not measured again, only tensors that changed are read. What they say is believed. */
  readonly goodProfile?: ProfileDocument;
  readonly suspectProfile?: ProfileDocument;
  readonly followSymlinks?: FollowSymlinks;
  /** Known-good adapters of the same recipe: where the suspect stands among these and the good one. */
  readonly population?: readonly string[];
  /** An adapter: whether the suspect is the good model with it merged. */
  readonly adapter?: string;
}

const { threads, io, isolate, timeout, signal, onProgress } = MEASURE_CHECKS;
const DIFF_CHECKS: Checks<DiffOptions> = {
  threads,
  io,
  isolate,
  timeout,
  signal,
  onProgress,
  goodProfile: document,
  suspectProfile: document,
  followSymlinks: followCheck,
  population: texts,
  adapter: word,
};

/**
 * Says what is different between two models, and what kind of change that is. Either side may be a profile alone; values can
 * then not be held against each other, and the report says so.
 *
 * @throws SteelyardError USAGE, NOT_FOUND, INVALID_PROFILE, NATIVE_UNAVAILABLE, ABORTED, INTERNAL: when there is no report to
 * put it in. What cannot be read of single files is in the report.
 * @example
 * const { outcome, conclusions } = await diff('models/llama', 'incoming/llama');
 */
export async function diff(
  good: ModelSource,
  suspect: ModelSource,
  options: DiffOptions = {},
): Promise<DiffReport> {
  assertOptions(options, DIFF_CHECKS);
  const deadline = new Deadline(options, 'comparison');
  const { timeout: _, ...others } = options;
  try {
    return await compareModels(good, suspect, { ...others, signal: deadline.signal }, deadline.check);
  } catch (error) {
    throw deadline.isOver(error) ? deadline.over : error;
  } finally {
    deadline.end();
  }
}

async function compareModels(
  good: ModelSource,
  suspect: ModelSource,
  options: Omit<DiffOptions, 'timeout'>,
  check: Check,
): Promise<DiffReport> {
  const { goodProfile, suspectProfile, population = [], adapter, ...reading } = options;
  const sides = [
    await readSide('good', good, { ...reading, profile: goodProfile }),
    await readSide('suspect', suspect, { ...reading, profile: suspectProfile }),
  ] as const;
  check();
  const [before, now] = readable(sides);
  const matched = match(before, now);
  const { compareTensors } = await import('./changed.ts');
  const { tensors: compared, payloads, errors } = await compareTensors(matched.changed, sides, reading);
  const tensors = nameRows(compared, sides);
  const known: Known[] = [];
  for (const path of population)
    known.push({ name: basename(path), side: await readSide('good', path, reading) });
  const { diffAdapters } = await import('./adapter/adapter-diff.ts');
  const adapters = await diffAdapters(sides, known, reading);
  const merge = await mergeOf(adapter, sides, tensors, reading);
  check();
  const metadata = metadataChanges(before, now);
  const explained = new Set([...tensors.map((one) => one.suspect.file), ...metadata.map(({ file }) => file)]);
  const { structure, identical } = matched;
  const found = { structure, files: fileChanges(before, now, explained), metadata, tensors, identical };
  const failures = sortFailures(
    [...sides.flatMap((side) => side.errors), ...errors, ...adapters.errors].map(toFailure),
  );
  const { conclude } = await import('./conclusion/conclusion.ts');
  const isChanged = [structure, found.files, metadata, tensors].some(({ length }) => length > 0);
  return {
    schema: 'steelyard/diff/1',
    tool: { name: 'steelyard', version: VERSION },
    complete: failures.length === 0,
    outcome: isChanged ? 'changed' : failures.length > 0 ? 'error' : 'same',
    good: summaryOf(sides[0].profile),
    suspect: summaryOf(sides[1].profile),
    conclusions: conclude({ ...found, ...lookUps(matched.changed, payloads), ...merge }, check),
    ...found,
    adapter: adapters.adapter,
    ...merge,
    errors: failures,
  };
}

async function mergeOf(
  adapter: string | undefined,
  sides: readonly [SideModel, SideModel],
  changed: readonly TensorChange[],
  reading: Omit<DiffOptions, 'timeout'>,
): Promise<Pick<DiffReport, 'merge'>> {
  if (adapter === undefined) return {};
  const { checkMerge } = await import('./adapter/merge/merge.ts');
  const side = await readSide('suspect', adapter, reading);
  const names = new Set(changed.map(({ suspect }) => suspect.name));
  return { merge: await checkMerge(side, sides, names, reading) };
}
