// The two patches. Both carry the pod's uid: where another pod of that name came meanwhile, the API server refuses (422).
import type { Rotation } from '../round.ts';
import { reasonOf, type State } from '../state.ts';
import type { PodFacts } from '../target.ts';
import type { PodApi } from './api.ts';
import { CONDITION, PULLED, ROTATION } from './pods.ts';

export const rotationThrough = (api: PodApi): Rotation => ({
  pull: (pod, state, at) =>
    pod.way === 'readiness' ? setCondition(api, pod, false, state, at) : unlabel(api, pod, state, at),
  admit: (pod, at) => setCondition(api, pod, true, 'ok', at),
});

/** Keyed by its type, so that no other condition is touched. False takes the pod out of every Service's endpoints. */
const setCondition = (
  api: PodApi,
  { namespace, name, uid }: PodFacts,
  good: boolean,
  state: State,
  at: Date,
): Promise<void> =>
  api.patch(namespace, name, '/status', 'application/strategic-merge-patch+json', {
    metadata: { uid },
    status: {
      conditions: [
        {
          type: CONDITION,
          status: good ? 'True' : 'False',
          reason: reasonOf(state),
          message: `steelyard drift: ${state}`,
          lastProbeTime: seconds(at),
          lastTransitionTime: seconds(at),
        },
      ],
    },
  });

/** Out at once, and still running: for forensics. */
const unlabel = (api: PodApi, { namespace, name, uid }: PodFacts, state: State, at: Date): Promise<void> =>
  api.patch(namespace, name, '', 'application/merge-patch+json', {
    metadata: { uid, labels: { [ROTATION]: null }, annotations: { [PULLED]: `${state} ${seconds(at)}` } },
  });

const seconds = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;
