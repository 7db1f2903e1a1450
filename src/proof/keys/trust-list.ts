// Which keys are trusted, and when: a document that somebody signs, so that a key can be replaced, or taken back, everywhere at once.
// A signature by a key alone has no time that anybody vouches for: what counts is now.
import { readOwn } from '../../document/own-json.ts';
import { SteelyardError } from '../../rules/error.ts';
import { type Outcome, proven, refuse } from '../sign/refusal.ts';
import { cosignHint, fingerprint, modelHint, readPublicKey } from '../sign/signer/key.ts';
import { openBundle } from '../sign/signer/signature.ts';
import type { KeyTrust, Trust } from '../sign/trust.ts';
import { verifyDocument } from '../sign/verify.ts';
import { trustSchema } from './trust-schema.ts';

interface Listed {
  readonly name: string;
  readonly publicKey: string;
  readonly notBefore?: string | undefined;
  readonly notAfter?: string | undefined;
  readonly revokedAt?: string | undefined;
  readonly reason?: string | undefined;
}

interface SignedList {
  readonly document: Buffer;
  readonly bundle: Buffer;
  /** Who must have signed the list. */
  readonly root: Trust;
  /** For messages. */
  readonly name: string;
}

/** Throws INVALID_DOCUMENT, LIMIT; USAGE: a key in it cannot be read, or stands twice. */
export function readTrustList(document: Buffer, name: string): readonly Listed[] {
  const { keys } = readOwn(document, trustSchema(), name);
  const prints = keys.map(({ publicKey }) => fingerprint(readPublicKey(publicKey)));
  const twice = prints.find((one, index) => prints.indexOf(one) !== index);
  // Of two entries for one key, one could take back what the other has revoked.
  if (twice !== undefined)
    throw new SteelyardError('INVALID_DOCUMENT', `${name}: the key ${twice} stands twice`);
  return keys;
}

/** The key of the list that a bundle says it is signed with, if it is trusted now; the list is believed once its signature held. */
export function keyInList(
  list: SignedList,
  bundle: Uint8Array,
  now: Date,
): Outcome<{ readonly trust: KeyTrust }> {
  const signed = verifyDocument(list.document, list.bundle, list.root, { now });
  if (!signed.verified) return signed;
  const keys = readTrustList(list.document, list.name);
  return proven(() => {
    const trusts = keys.map(({ publicKey }) => ({ method: 'key', publicKey }) as const);
    const { material } = openBundle(bundle, trusts[0]!);
    if (material.method !== 'key')
      return refuse('WRONG_METHOD', 'the list trusts keys, and the bundle is signed in another way', {
        expected: 'key',
        actual: material.method,
      });
    // The hint is not signed: it only chooses whose key is tried.
    const index = keys.findIndex(
      ({ publicKey }) => material.hint !== null && hintsOf(publicKey).includes(material.hint),
    );
    if (index < 0)
      return refuse('WRONG_KEY', 'the bundle names no key of the list', { actual: material.hint ?? '' });
    assertTrusted(keys[index]!, now.getTime());
    return { trust: trusts[index]! };
  });
}

function hintsOf(pem: string): readonly string[] {
  const key = readPublicKey(pem);
  return [modelHint(key), cosignHint(key), fingerprint(key).slice('sha256:'.length)];
}

function assertTrusted({ name, notBefore, notAfter, revokedAt, reason }: Listed, now: number): void {
  const at = (time: string | undefined): number => (time === undefined ? Number.NaN : Date.parse(time));
  // Whoever has the key can say that it was signed earlier: only a time stamp would prove it.
  if (now >= at(revokedAt)) {
    const why = reason === undefined ? '' : ` (${reason})`;
    refuse('REVOKED_KEY', `the key ${name} was revoked${why}, and nothing proves that it signed before`, {
      expected: `a trusted time before ${revokedAt}`,
    });
  }
  if (now < at(notBefore)) refuse('EXPIRED_KEY', `the key ${name} is trusted only from ${notBefore}`);
  if (now > at(notAfter)) refuse('EXPIRED_KEY', `the key ${name} was trusted until ${notAfter}`);
}
