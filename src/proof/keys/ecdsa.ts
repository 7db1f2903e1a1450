// The two forms of an ECDSA signature: r and s one after the other (PKCS#11, IEEE P1363), and in DER, as bundles have it.
import { createHash, createPublicKey, KeyObject } from 'node:crypto';
import { SteelyardError } from '../../rules/error.ts';
import { hashOf } from '../sign/signer/key.ts';

/** r‖s → SEQUENCE { INTEGER r, INTEGER s }. */
export function derOf(signature: Uint8Array): Buffer {
  const half = signature.length / 2;
  const body = Buffer.concat([integer(signature.subarray(0, half)), integer(signature.subarray(half))]);
  // Two numbers of 66 bytes (P-521) need the long form of a length.
  const head = body.length < 0x80 ? [0x30, body.length] : [0x30, 0x81, body.length];
  return Buffer.concat([Buffer.from(head), body]);
}

function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Buffer.of(0) : Buffer.from(bytes.subarray(first));
  // A first bit that is set would make it negative.
  const value = digits[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), digits]) : digits;
  return Buffer.concat([Buffer.of(0x02, value.length), value]);
}

/** What is signed where only a digest goes over: by the hash of the key's curve. */
export const digestFor = (key: KeyObject, bytes: Uint8Array): Buffer =>
  createHash(hashOf(key)!).update(bytes).digest();

/**
 * A public key as its holder gives it, if models can be signed with it.
 *
 * @param name of the key, for messages.
 */
export function usableKey(key: string | Buffer | KeyObject, name: string): KeyObject {
  const found = key instanceof KeyObject ? key : parsed(key, name);
  if (found.asymmetricKeyType === 'ec' && hashOf(found) !== undefined) return found;
  const kind = found.asymmetricKeyDetails?.namedCurve ?? found.asymmetricKeyType;
  throw new SteelyardError(
    'USAGE',
    `${name} is a key of the kind ${kind}; models are signed with keys on P-256, P-384 and P-521`,
  );
}

function parsed(key: string | Buffer, name: string): KeyObject {
  try {
    if (typeof key === 'string') {
      // createPublicKey derives it from a private key too, which nobody should hand over.
      if (!key.includes('-----BEGIN PUBLIC KEY-----')) throw new Error('no public key');
      return createPublicKey(key);
    }
    return createPublicKey({ key, format: 'der', type: 'spki' });
  } catch {
    throw new SteelyardError('INVALID_DOCUMENT', `${name}: its holder gives no public key that can be read`);
  }
}
