// What to do about a round of looks: pure, and the place of every guard. A tool that takes pods away can empty a service faster than
// any attacker, so most of it says no.
import type { Look } from './look/look.ts';
import { meaningOf, needsConfirmation, STATES } from './state.ts';
import type { PodFacts } from './target.ts';

export interface Seen {
  readonly name: string;
  readonly pod: PodFacts | null;
  /** The last of its looks. */
  readonly look: Look;
  /** Every look that a state needs said the same. */
  readonly confirmed: boolean;
}

export interface Decision {
  readonly action: 'none' | 'pull' | 'admit' | 'kept';
  /** Why nothing is done about a state that calls for it. */
  readonly because: string | null;
}

interface Decisions {
  /** More than half drifted: it is the MBOM that is late, or the whole fleet; a person must look. */
  readonly stopped: boolean;
  /** In the order of the targets. */
  readonly decisions: readonly Decision[];
}

const NOTHING: Decision = { action: 'none', because: null };
const kept = (because: string): Decision => ({ action: 'kept', because });

/** @param maxPulled pods that may be out at the same time, those of earlier rounds counted. */
export function decide(seen: readonly Seen[], maxPulled: number): Decisions {
  const judged = seen.filter(({ look }) => meaningOf(look.state) !== 'inconclusive');
  const drifted = judged.filter(({ look }) => meaningOf(look.state) === 'drifted');
  const stopped = drifted.length * 2 > judged.length;
  let room = maxPulled - seen.filter(({ pod }) => pod?.out).length;
  const chosen = new Map<Seen, Decision>();
  // The gravest first: where there is room for one, it is the one that answers wrongly.
  for (const one of [...drifted].sort(byGravity)) {
    const refusal = refusalOf(one, stopped, room);
    if (refusal === null) room--;
    chosen.set(one, refusal === null ? { action: 'pull', because: null } : kept(refusal));
  }
  return { stopped, decisions: seen.map((one) => chosen.get(one) ?? restOf(one)) };
}

const byGravity = (one: Seen, other: Seen): number =>
  STATES.indexOf(one.look.state) - STATES.indexOf(other.look.state) || (one.name < other.name ? -1 : 1);

function refusalOf({ pod, look, confirmed }: Seen, stopped: boolean, room: number): string | null {
  if (pod === null) return 'an address from a list cannot be taken out of rotation';
  if (pod.out) return 'it is out of rotation already';
  if (stopped) return 'more than half drifted: the MBOM may be late, and nothing is pulled';
  if (!look.answered) return 'it did not answer every question; the kubelet decides about that';
  if (needsConfirmation(look.state) && !confirmed) return 'its looks disagreed';
  if (pod.way === null)
    return 'it has neither the readiness gate nor the label that takes it out of rotation';
  return room > 0 ? null : 'as many pods are out as may be';
}

function restOf({ pod, look }: Seen): Decision {
  if (pod === null || look.state !== 'ok') return NOTHING;
  // It claims to be right again, and nobody knows what it was meanwhile.
  if (pod.out) return kept('it was pulled earlier; a person puts it back, or deletes it');
  return pod.waiting ? { action: 'admit', because: null } : NOTHING;
}

/** `3`, or `25%` of the targets, at least one. */
export const pullLimit = (
  limit: { readonly count: number } | { readonly percent: number },
  total: number,
): number => ('count' in limit ? limit.count : Math.max(1, Math.floor((total * limit.percent) / 100)));
