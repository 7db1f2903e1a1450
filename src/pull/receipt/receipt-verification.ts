// Does a receipt that a trusted key signed say that this model came the way of that zone? Anything less proves nothing about it.
import { withDefaults } from '../../proof/sign/files/exclusion.ts';
import { type Outcome, proven, refuse } from '../../proof/sign/refusal.ts';
import { openBundle, openStatement } from '../../proof/sign/signer/signature.ts';
import { type SignableFile, toManifest } from '../../proof/sign/statement/manifest.ts';
import type { Signer, Trust } from '../../proof/sign/trust.ts';
import { PULL_PREDICATE, type Receipt } from './receipt.ts';
import { ReceiptSchema } from './receipt-schema.ts';

export interface ReceiptProof {
  readonly signer: Signer;
  readonly receipt: Receipt;
}

/**
 * @param files of the model, as a scan or `digestModel` has read them.
 * @param bundle the bytes of DIR.pull.intoto.jsonl; empty: there is none.
 */
export function verifyReceipt(
  files: readonly SignableFile[],
  bundle: Uint8Array,
  trust: Trust,
  {
    zone,
    ignore = [],
    now = new Date(),
  }: { readonly zone: string; readonly ignore?: readonly string[]; readonly now?: Date },
): Outcome<ReceiptProof> {
  const proof = proven(() => {
    const { statement, signer } = openStatement(openBundle(bundle, trust), trust, now);
    const parsed = ReceiptSchema.safeParse(statement.predicate);
    if (statement.predicateType !== PULL_PREDICATE || !parsed.success)
      return refuse('UNTRUSTED_SOURCE', 'what was signed is no receipt of a pull', {
        actual: statement.predicateType,
      });
    const receipt: Receipt = parsed.data;
    const model = `sha256:${toManifest(files, withDefaults([...ignore])).root}`;
    const isAbout =
      statement.subject.length === 1 && `sha256:${statement.subject[0]!.digest.sha256}` === receipt.model;
    if (!isAbout || receipt.model !== model)
      refuse('UNTRUSTED_SOURCE', 'the receipt is about another model', {
        expected: model,
        actual: receipt.model,
      });
    if (receipt.zone !== zone)
      refuse('UNTRUSTED_SOURCE', 'the model came another way', {
        expected: zone,
        actual: receipt.zone ?? 'no zone',
      });
    return { signer, receipt };
  });
  if (proof.verified) return proof;
  // One code for who asks where a model comes from; why is in the message.
  const [{ code, message }] = proof.refusals;
  const why =
    code === 'UNTRUSTED_SOURCE'
      ? proof.refusals[0]
      : { code: 'UNTRUSTED_SOURCE' as const, message: `the receipt is not proven (${code}): ${message}` };
  return { verified: false, refusals: [why] };
}
