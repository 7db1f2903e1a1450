// The spine of a run: probe the target, then ask every prompt of the suite and write down each answer before the next question. The
// door of this room.

import { SteelyardError } from '../../rules/error.ts';
import { VERSION } from '../../runtime/package.ts';
import type { Prompt, Suite } from '../suite/suite.ts';
import type { Answer, Message, Target } from '../target/target.ts';
import { factsOf } from './facts.ts';
import { createJournal, type Journal, keyOf, resumeJournal } from './journal.ts';
import { type Probed, probe } from './probe.ts';
import { redactedAnswer } from './redaction.ts';
import { type Release, tieOf } from './release.ts';
import { RUN_SCHEMA, type RunAnswer, type RunEnd, type RunHeader } from './run-schema.ts';

export { type Release, releaseOf } from './release.ts';

export interface RunOptions {
  readonly release: Release | null;
  /** The engine of this process loaded the release's files, and they were hashed here. */
  readonly hashed: boolean;
  readonly store: RunHeader['store'];
  /** How often each prompt is asked: twice shows how much the target varies by itself. */
  readonly repeat: number;
  readonly resume: boolean;
  readonly now: Date;
  readonly signal: AbortSignal;
  /** Milliseconds for all of it. */
  readonly budget?: number;
  readonly onAnswer?: (done: number, all: number) => void;
}

export interface RunSummary {
  readonly header: RunHeader;
  readonly end: RunEnd;
  /** The run is whole: every prompt was asked and answered. */
  readonly complete: boolean;
  /** Why it ended before its end; null: it did not. */
  readonly stopped: string | null;
  /** Answers whose headers name another release than the MBOM. */
  readonly foreign: number;
  /** Headers that were seen: more than one set is more than one model behind the address. */
  readonly claims: readonly string[];
}

/** A target that fails this often in a row is down, and is not asked ten thousand times more. */
const FAILURES = 5;

/**
 * Runs a suite, or goes on with a run that was cut off.
 *
 * @throws SteelyardError IO, TIMEOUT where not even the probe is answered; USAGE, IO of the file; ABORTED: the file can be resumed.
 */
export async function runSuite(
  suite: Suite,
  target: Target,
  path: string,
  options: RunOptions,
): Promise<RunSummary> {
  const probed = await probe(target, suite.sampling, options.signal);
  const header = headerOf(suite, target, probed, await target.template(options.signal), options);
  const journal = options.resume ? resumeJournal(path, header) : createJournal(path, header);
  try {
    return await asked(suite, target, header, journal, options);
  } finally {
    journal.close();
  }
}

const headerOf = (
  suite: Suite,
  target: Target,
  { capabilities, engine }: Probed,
  template: string | null,
  { release, hashed, store, repeat, now }: RunOptions,
): RunHeader => ({
  schema: RUN_SCHEMA,
  tool: VERSION,
  startedAt: now.toISOString(),
  suite: suite.digest,
  system: suite.system?.digest ?? null,
  release,
  hashed,
  target: target.name,
  engine,
  template,
  capabilities,
  sampling: { ...suite.sampling, topLogprobs: capabilities.topK },
  store,
  repeat,
  prompts: suite.prompts.length,
});

async function asked(
  suite: Suite,
  target: Target,
  header: RunHeader,
  journal: Journal,
  options: RunOptions,
): Promise<RunSummary> {
  const all = suite.prompts.length * options.repeat;
  const since = performance.now();
  const claims = new Set<string>();
  let [done, failed, inRow, foreign] = [journal.done.size, 0, 0, 0];
  let stopped: string | null = null;
  loop: for (let repeat = 1; repeat <= options.repeat; repeat++) {
    for (const prompt of suite.prompts) {
      if (journal.done.has(keyOf({ id: prompt.id, repeat }))) continue;
      if (options.budget !== undefined && performance.now() - since > options.budget)
        stopped = 'the time is over';
      if (inRow >= FAILURES) stopped = `the target failed ${FAILURES} times in a row`;
      if (stopped !== null) break loop;
      const line = await answered(suite, target, prompt, repeat, header, options);
      journal.write(line);
      const good = line.status === 'ok' || line.status === 'filtered';
      [done, failed, inRow] = good ? [done + 1, failed, 0] : [done, failed + 1, inRow + 1];
      if (good) claims.add(JSON.stringify(line.claims));
      if (options.release !== null && tieOf(line.claims, options.release) === 'other') foreign++;
      options.onAnswer?.(done, all);
    }
  }
  const end: RunEnd = { end: true, asked: all, answered: done, failed };
  if (stopped === null) journal.write(end);
  return { header, end, complete: done === all, stopped, foreign, claims: [...claims] };
}

async function answered(
  suite: Suite,
  target: Target,
  prompt: Prompt,
  repeat: number,
  { sampling }: RunHeader,
  { signal, store }: RunOptions,
): Promise<RunAnswer> {
  const { id, role, intent, expect, text } = prompt;
  const system: Message[] = suite.system === null ? [] : [{ role: 'system', content: suite.system.text }];
  const told = {
    id,
    repeat,
    ...(role === undefined ? {} : { role }),
    ...(intent === undefined ? {} : { intent }),
    ...(expect === undefined ? {} : { expect }),
    prompt: text,
  };
  try {
    const answer = await target.ask([...system, { role: 'user', content: text }], sampling, signal);
    const facts = factsOf(prompt, answer, suite.allow);
    const status = answer.finish === 'filtered' ? 'filtered' : 'ok';
    return { ...told, status, ...(store === 'full' ? answer : redactedAnswer(answer)), facts };
  } catch (error) {
    if (!(error instanceof SteelyardError) || !['IO', 'TIMEOUT', 'LIMIT'].includes(error.code)) throw error;
    const status = error.code === 'TIMEOUT' ? 'timeout' : 'error';
    return {
      ...told,
      status,
      error: error.message.slice(0, 500),
      ...NOTHING,
      facts: factsOf({}, NOTHING, []),
    };
  }
}

const NOTHING: Answer = {
  text: '',
  reasoning: null,
  finish: 'other',
  tokens: null,
  toolCalls: [],
  claims: {},
  engine: null,
  ms: 0,
  attempts: 0,
};
