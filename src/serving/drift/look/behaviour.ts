// The behaviour look: the prompts of the release's fingerprint, asked again. A header can be copied; the log-probabilities of the
// weights cannot, as long as the server does not know who asks.
import { type Fingerprint, matchFingerprint } from '../../../canary/canary.ts';
import { httpTarget } from '../../../canary/target/target.ts';
import { SteelyardError } from '../../../rules/error.ts';
import type { Release } from '../allowed-release.ts';
import { says, type Witness } from './witness.ts';

/** Asks a model at an address what its release is known to answer. */
export type BehaviourLook = (url: string, release: Release) => Promise<Witness>;

interface BehaviourOptions {
  readonly signal: AbortSignal;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** The model's name at the server; default: the first that it lists. */
  readonly model?: string;
}

/** @param fingerprints by the release that they were taken of. */
export const behaviourLook =
  (
    fingerprints: ReadonlyMap<string, Fingerprint>,
    { signal, headers, model }: BehaviourOptions,
  ): BehaviourLook =>
  async (url, { bomId }) => {
    const fingerprint = fingerprints.get(bomId);
    if (fingerprint === undefined) return says('behaviour', null, 'there is no fingerprint of this release');
    // The list of targets, or the API server, decided already which addresses are asked without TLS.
    const target = httpTarget(`${url}/v1`, {
      insecure: true,
      headers: { 'x-steelyard-probe': 'drift', ...headers },
      ...(model === undefined ? {} : { model }),
    });
    try {
      return judged(await matchFingerprint(target, fingerprint, { signal }));
    } catch (error) {
      return unanswered(error);
    } finally {
      await target.close();
    }
  };

function judged(match: Awaited<ReturnType<typeof matchFingerprint>>): Witness {
  if (!match.comparable) return says('behaviour', 'inconclusive', match.reason);
  const { distance, tolerance, same } = match;
  const figures = `divergence ${distance.toExponential(1)}, tolerance ${tolerance.toExponential(1)}`;
  return same
    ? says('behaviour', 'ok', `it answers as at its promotion (${figures})`)
    : says('behaviour', 'behaviour-mismatch', `it does not answer as at its promotion (${figures})`);
}

/** Whatever it was, nothing is known: never a reason to act. */
function unanswered(error: unknown): Witness {
  if (!(error instanceof SteelyardError) || error.code === 'ABORTED') throw error;
  if (error.code === 'TIMEOUT') return says('behaviour', 'timeout', error.message);
  return says('behaviour', error.code === 'IO' ? 'unreachable' : 'inconclusive', error.message);
}
