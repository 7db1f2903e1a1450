// One look at one target: the header first, then witnesses that do not have to believe it.
import type { Release } from '../allowed-release.ts';
import { meaningOf, type State, worst } from '../state.ts';
import type { Target } from '../target.ts';
import { adapterLook } from './adapters.ts';
import type { BehaviourLook } from './behaviour.ts';
import { type Claim, headerLook } from './claim.ts';
import { type Client, NoAnswer } from './client.ts';
import { imageLook } from './image.ts';
import { says, type Witness } from './witness.ts';

export interface LookOptions {
  readonly client: Client;
  /** Where headers are looked at. */
  readonly path: string;
  /** Sent with every request to a target: authorization. */
  readonly headers: Readonly<Record<string, string>>;
  readonly behaviour?: BehaviourLook;
}

export interface Look {
  readonly state: State;
  readonly claim: Claim;
  /** `bomId` of the release that it was compared with. */
  readonly release: string | null;
  readonly witnesses: readonly Witness[];
  /** It answered. What did not is never pulled, whatever else is known of it. */
  readonly answered: boolean;
}

const NOTHING: Claim = { modelSha: null, bomId: null, adapterSha: null };

export async function lookAt(
  target: Target,
  allowed: readonly Release[],
  options: LookOptions,
): Promise<Look> {
  const { url, pod } = target;
  if (url === null) return summed(NOTHING, null, [says('header', 'unreachable', 'the pod has no address')]);
  const { client, path, headers, behaviour } = options;
  const first = await answering('header', async () =>
    headerLook(await client.ask(url + path, { headers }), allowed),
  );
  if ('state' in first) return summed(NOTHING, null, [first]);
  const { claim, release, witness } = first;
  // What names no release has nothing that its adapters could be held against.
  if (release === null) return summed(claim, null, [witness]);
  const witnesses = [
    witness,
    await answering('adapters', () => adapterLook(client, url, headers, release.mbom)),
    ...(pod === null ? [] : [imageLook(release.mbom, pod)]),
    ...(behaviour === undefined ? [] : [await answering('behaviour', () => behaviour(url, release))]),
  ];
  return summed(claim, release, witnesses);
}

async function answering<T>(witness: Witness['witness'], look: () => Promise<T>): Promise<T | Witness> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return says(witness, error.state, error.message);
  }
}

function summed(claim: Claim, release: Release | null, witnesses: readonly Witness[]): Look {
  const states = witnesses.map(({ state }) => state).filter((state) => state !== null);
  const answered = !states.some((state) => state === 'unreachable' || state === 'timeout');
  return { state: worst(states), claim, release: release?.bomId ?? null, witnesses, answered };
}

export const isDrifted = ({ state }: Look): boolean => meaningOf(state) === 'drifted';
