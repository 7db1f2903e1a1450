// A list of trusted keys in place of one key: it must be signed itself, by a key that the caller has.
import type { Command } from 'commander';
import type { Outcome } from '../../proof/sign/refusal.ts';
import type { Trust } from '../../proof/sign/trust.ts';
import { readInput } from './input.ts';
import { type TrustFlags, trustOf, usage } from './trust-options.ts';

export interface TrustListFlags extends TrustFlags {
  readonly trust?: string;
  readonly trustSignature?: string;
  readonly trustKey?: string;
}

export const withTrustList = (command: Command): Command =>
  command
    .option('--trust <list>', 'signed with a key of this list (steelyard/trust/1) that is trusted now')
    .option('--trust-signature <file>', 'with --trust: its signature (default: LIST.sigstore.json)')
    .option('--trust-key <file>', 'with --trust: the public key (PEM) that must have signed the list');

/** Whom to trust for this bundle. Refused: the list is not signed as it must be, or the key is not trusted now. */
export async function trustFor(
  flags: TrustListFlags,
  bundle: Buffer,
): Promise<Outcome<{ readonly trust: Trust }>> {
  const { trust, trustSignature, trustKey, ...single } = flags;
  if (trust === undefined) {
    if (trustSignature !== undefined || trustKey !== undefined)
      throw usage('--trust-signature and --trust-key go with --trust');
    return { verified: true, trust: trustOf(single) };
  }
  const others = [
    single.publicKey,
    single.certificateChain,
    single.trustedRoot,
    single.identity,
    single.issuer,
  ];
  if (others.some((one) => one !== undefined))
    throw usage('--trust says who must have signed: leave the other ways out');
  if (trustKey === undefined)
    throw usage('--trust needs --trust-key: a list that anybody could write proves nothing');
  const { keyInList } = await import('../../proof/keys/trust-list.ts');
  const list = {
    document: readInput(trust, 'list of keys'),
    bundle: readInput(trustSignature ?? `${trust}.sigstore.json`, 'signature of the list'),
    root: { method: 'key', publicKey: readInput(trustKey, 'public key') } as const,
    name: trust,
  };
  return keyInList(list, bundle, new Date());
}
