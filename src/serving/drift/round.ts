// One round: look at every target, look again where a state needs it, decide, act, and say so in one record.

import type { Release } from './allowed-release.ts';
import type { Decision, Seen } from './decision.ts';
import { decide, pullLimit } from './decision.ts';
import { isDrifted, type LookOptions, lookAt } from './look/look.ts';
import type { Action, RoundRecord, TargetRecord } from './record.ts';
import { meaningOf, needsConfirmation, type State } from './state.ts';
import type { PodFacts, Target } from './target.ts';

/** Takes pods out of rotation, and lets new ones in. Rejections say why, for people. */
export interface Rotation {
  pull(pod: PodFacts, state: State, at: Date): Promise<void>;
  admit(pod: PodFacts, at: Date): Promise<void>;
}

export interface RoundOptions extends LookOptions {
  readonly allowed: readonly Release[];
  readonly at: Date;
  /** How many looks must agree about a state that rests on headers alone. */
  readonly confirm: number;
  /** Between two of them. */
  readonly pause: () => Promise<void>;
  readonly limit: Parameters<typeof pullLimit>[0];
  /** null: a dry run. */
  readonly rotation: Rotation | null;
}

/** Targets that are looked at together. */
const TOGETHER = 8;

export async function driftRound(targets: readonly Target[], options: RoundOptions): Promise<RoundRecord> {
  const { allowed, at, limit, rotation } = options;
  const seen = await inTurns(targets, (target) => confirmedLook(target, options));
  const decisions = decide(seen, pullLimit(limit, targets.length));
  const records: TargetRecord[] = [];
  for (const [index, one] of seen.entries()) {
    records.push(recordOf(one, await acted(one, decisions.decisions[index]!, rotation, at)));
  }
  return {
    schema: 'steelyard/drift/1',
    kind: 'round',
    at: at.toISOString(),
    releases: allowed.map(({ bomId }) => bomId),
    targets: records,
    stopped: decisions.stopped,
    exitCode: exitCodeOf(records),
  };
}

interface Looked extends Seen {
  readonly looks: number;
}

async function confirmedLook(
  target: Target,
  { allowed, confirm, pause, ...options }: RoundOptions,
): Promise<Looked> {
  let look = await lookAt(target, allowed, options);
  const first = look.state;
  let looks = 1;
  let confirmed = true;
  while (needsConfirmation(first) && confirmed && looks < confirm) {
    await pause();
    const next = await lookAt(target, allowed, options);
    looks++;
    confirmed = next.state === first;
    // A target that is right every second time has drifted; what was wrong is what is told.
    if (confirmed || isDrifted(next)) look = next;
  }
  return { name: target.name, pod: target.pod, look, looks, confirmed };
}

async function inTurns<T, R>(items: readonly T[], action: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const turn = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++)
      results[index] = await action(items[index]!);
  };
  await Promise.all(Array.from({ length: Math.min(TOGETHER, items.length) }, turn));
  return results;
}

type Outcome = Pick<TargetRecord, 'action' | 'because'>;

async function acted(
  { pod, look }: Seen,
  { action, because }: Decision,
  rotation: Rotation | null,
  at: Date,
): Promise<Outcome> {
  if (action === 'none' || action === 'kept' || pod === null) return { action: action as Action, because };
  if (rotation === null) return { action: action === 'pull' ? 'would-pull' : 'would-admit', because: null };
  try {
    if (action === 'pull') await rotation.pull(pod, look.state, at);
    else await rotation.admit(pod, at);
    return { action: action === 'pull' ? 'pulled' : 'admitted', because: null };
  } catch (error) {
    return { action: 'failed', because: String((error as Error).message).slice(0, 500) };
  }
}

const recordOf = ({ name, pod, look, looks }: Looked, outcome: Outcome): TargetRecord => ({
  target: name,
  uid: pod?.uid ?? null,
  state: look.state,
  ...look.claim,
  release: look.release,
  witnesses: [...look.witnesses],
  looks,
  ...outcome,
});

/** A definite no beats an error, an error beats a pass; nothing to look at is no pass. */
function exitCodeOf(records: readonly TargetRecord[]): number {
  const means = records.map(({ state }) => meaningOf(state));
  if (means.includes('drifted')) return 1;
  const failed = records.some(({ action }) => action === 'failed');
  return records.length === 0 || failed || means.includes('inconclusive') ? 2 : 0;
}
