// The header look: which release does the target say it serves?
import { HEADERS } from '../../provenance/provenance.ts';
import type { Release } from '../allowed-release.ts';
import type { Answer } from './client.ts';
import { says, type Witness } from './witness.ts';

export interface Claim {
  readonly modelSha: string | null;
  readonly bomId: string | null;
  readonly adapterSha: string | null;
}

interface HeaderLook {
  readonly claim: Claim;
  /** Which of the allowed releases it claims to be; null: none of them. */
  readonly release: Release | null;
  readonly witness: Witness;
}

/** Proxies answer so when nothing stands behind them; it is not the model server that spoke. */
const NOT_THERE = new Set([502, 503, 504]);

export function headerLook({ status, header }: Answer, allowed: readonly Release[]): HeaderLook {
  const [modelSha, bomId, adapterSha] = HEADERS.map((name) => header(name)?.slice(0, 200) ?? null);
  const claim: Claim = { modelSha: modelSha!, bomId: bomId!, adapterSha: adapterSha! };
  const none = (state: Parameters<typeof says>[1], message: string): HeaderLook => ({
    claim,
    release: null,
    witness: says('header', state, message),
  });
  if (claim.modelSha === null && NOT_THERE.has(status))
    return none('unreachable', `the answer is ${status}, without headers`);
  if (claim.modelSha === null) return none('missing-header', 'there is no x-model-sha');
  const models = allowed.filter((one) => one.modelSha === claim.modelSha);
  if (models.length === 0) return none('unknown-sha', `x-model-sha is ${claim.modelSha}`);
  if (claim.bomId === null) return none('missing-header', 'there is no x-bom-id');
  const release = models.find((one) => one.bomId === claim.bomId);
  if (release === undefined)
    return none('bom-mismatch', `the model is right, and x-bom-id is ${claim.bomId}`);
  const adapter = release.mbom.adapter?.digest ?? null;
  if (adapter !== claim.adapterSha) {
    const message = `x-adapter-sha is ${claim.adapterSha ?? 'not there'}, declared is ${adapter ?? 'no adapter'}`;
    return { claim, release, witness: says('header', 'adapter-mismatch', message) };
  }
  return { claim, release, witness: says('header', 'ok', 'the headers name the release') };
}
