// Who may sign, by the names that the gate policy gives them. Nothing in a document can add to it.
import type { Bundle } from '../../proof/sign/bundle/material.ts';
import { cosignHint, fingerprint, modelHint, readPublicKey } from '../../proof/sign/signer/key.ts';
import type { Signer, Trust } from '../../proof/sign/trust.ts';
import { type Denial, Denied, deny, settled } from '../verdict/denial.ts';

export interface Identity {
  /** As the policy calls it. */
  readonly name: string;
  readonly trust: Trust;
  /** Of a certificate's holder, compared exactly: with a root alone, everybody whom its authority certifies could sign. */
  readonly subject: string | null;
}

/** Whoever proved to be an identity of the policy. */
interface Proven<T> {
  readonly by: string;
  readonly signer: Signer;
  readonly value: T;
}

/** The hints by which a bundle may name this identity's key; null: the bundle cannot say it is somebody else's. */
function mayBe({ trust }: Identity, { material }: Bundle): boolean {
  if (material.method !== trust.method) return false;
  if (trust.method !== 'key' || material.method !== 'key' || material.hint === null) return true;
  return hintsOf(trust.publicKey).includes(material.hint);
}

function hintsOf(publicKey: string | Buffer): readonly string[] {
  const key = readPublicKey(publicKey);
  return [modelHint(key), cosignHint(key), fingerprint(key).slice('sha256:'.length)];
}

/**
 * The identity that signed a bundle. Refuses with WRONG_KEY where it can be none of them, else with what the nearest try met: a
 * changed document says BAD_SIGNATURE, not that some other identity's key is another one.
 */
export function provenBy<T extends { readonly signer: Signer }>(
  identities: readonly Identity[],
  bundle: Bundle,
  prove: (trust: Trust) => T,
): Proven<T> {
  let nearest: readonly [Denial, ...Denial[]] | undefined;
  for (const identity of identities.filter((one) => mayBe(one, bundle))) {
    const tried = settled(() => {
      const value = prove(identity.trust);
      sameSubject(value.signer, identity);
      return value;
    });
    if (tried.denials === undefined)
      return { by: identity.name, signer: tried.value.signer, value: tried.value };
    if (nearest === undefined || FAR.has(nearest[0].code)) nearest = tried.denials;
  }
  if (nearest !== undefined) throw new Denied(nearest);
  return deny('WRONG_KEY', 'no identity that is listed here signed it', {
    expected: identities.map(({ name }) => name).join(', '),
  });
}

/** Codes that say no more than "somebody else". */
const FAR = new Set<string>(['WRONG_KEY', 'WRONG_IDENTITY', 'WRONG_METHOD', 'UNTRUSTED_CERTIFICATE']);

function sameSubject(signer: Signer, { subject }: Identity): void {
  if (signer.method !== 'certificate' || subject === null) return;
  const actual = oneLine(signer.subject);
  if (actual === subject) return;
  deny('WRONG_IDENTITY', 'signed by another holder of a certificate', { expected: subject, actual });
}

/** `C=DE, O=Acme, CN=Alice`: Node has a line for each part. */
const oneLine = (subject: string): string => subject.split('\n').join(', ');

/** What two names of a policy may not share: one key, or one holder, would else count as two. */
export function holderOf({ trust, subject }: Identity): string {
  if (trust.method === 'key') return `key ${fingerprint(readPublicKey(trust.publicKey))}`;
  if (trust.method === 'identity') return `identity ${JSON.stringify([trust.identity, trust.issuer])}`;
  return `certificate ${subject}`;
}
