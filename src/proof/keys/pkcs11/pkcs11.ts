// Keys in tokens: HSMs, smart cards, YubiKeys, SoftHSM. The digest goes in, the signature comes out.
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { errnoOf, SteelyardError } from '../../../rules/error.ts';
import type { RemoteKey } from '../../sign/sealing.ts';
import { derOf, digestFor, usableKey } from '../ecdsa.ts';
import type { KeyOptions } from '../key-options.ts';
import { readTokenUri, type TokenUri } from './pkcs11-uri.ts';
import { CKA, CKO, type Session, withToken } from './session.ts';

/** Throws USAGE, NOT_FOUND, UNAUTHORIZED, IO. */
export async function tokenKey(uri: string, { env }: KeyOptions): Promise<RemoteKey> {
  const wanted = readTokenUri(uri);
  const module = wanted.modulePath ?? env.STEELYARD_PKCS11_MODULE;
  if (!module)
    throw new SteelyardError(
      'USAGE',
      'name the PKCS#11 module: ?module-path=/usr/lib/softhsm/libsofthsm2.so, or STEELYARD_PKCS11_MODULE',
    );
  const pin = wanted.pinFile === null ? env.STEELYARD_PKCS11_PIN : pinIn(wanted.pinFile);
  const inToken = <T>(ask: (session: Session) => T): Promise<T> => withToken(wanted, module, pin, ask);
  const publicKey = await inToken((session) => publicKeyOf(session, keyIn(session, wanted)));
  return {
    publicKey,
    sign: (bytes) =>
      inToken((session) => {
        const key = keyIn(session, wanted);
        const again = isTrue(session.attribute(key, CKA_ALWAYS_AUTHENTICATE));
        return derOf(session.sign(key, digestFor(publicKey, bytes), again));
      }),
  };
}

const CKA_ALWAYS_AUTHENTICATE = 0x202;
const MAX_PIN = 1024;

function pinIn(path: string): string {
  try {
    if (statSync(path).size > MAX_PIN) throw new SteelyardError('LIMIT', `${path} is no file with a PIN`);
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    if (cause instanceof SteelyardError) throw cause;
    throw new SteelyardError('IO', `cannot read the file with the PIN ${path} (${errnoOf(cause)})`);
  }
}

const isTrue = (value: Buffer | null): boolean => value !== null && value[0] === 1;

/** The one private key of that label and id, if it may sign. */
function keyIn(session: Session, { object, id }: TokenUri): Buffer {
  const named = [
    ...(object === null ? [] : [{ type: CKA.label, value: Buffer.from(object) }]),
    ...(id === null ? [] : [{ type: CKA.id, value: id }]),
  ];
  const [key, ...more] = session.find([{ type: CKA.class, value: CKO.privateKey }, ...named]);
  if (key === undefined)
    throw new SteelyardError('NOT_FOUND', 'the token has no private key of that name: see `pkcs11-tool -O`');
  if (more.length > 0)
    throw new SteelyardError('USAGE', 'the token has more than one private key of that name: add id=%…');
  if (isTrue(session.attribute(key, CKA.sign))) return key;
  throw new SteelyardError('USAGE', 'the key in the token may not sign (CKA_SIGN)');
}

const KEY = 'the key in the token';

/** From the public half beside it, which has the same id, or else from its certificate. */
function publicKeyOf(session: Session, key: Buffer) {
  const id = session.attribute(key, CKA.id);
  const beside = (kind: number): Buffer | undefined =>
    id === null || id.length === 0
      ? undefined
      : session.find([
          { type: CKA.class, value: kind },
          { type: CKA.id, value: id },
        ])[0];
  const half = beside(CKO.publicKey);
  if (half !== undefined) {
    const [parameters, point] = [session.attribute(half, CKA.ecParams), session.attribute(half, CKA.ecPoint)];
    if (parameters === null || point === null)
      throw new SteelyardError('USAGE', `${KEY} is no elliptic-curve key; models are signed with ECDSA`);
    return usableKey(spki(parameters, point), KEY);
  }
  const certificate = beside(CKO.certificate);
  const der = certificate === undefined ? null : session.attribute(certificate, CKA.value);
  if (der !== null) return usableKey(new X509Certificate(der).publicKey, KEY);
  throw new SteelyardError(
    'USAGE',
    'the token has neither the public key nor a certificate with the id of the private key: store one there',
  );
}

/** OID of elliptic-curve keys, 1.2.840.10045.2.1. */
const EC_PUBLIC_KEY = Buffer.from('06072a8648ce3d0201', 'hex');

/** `parameters`: the DER of the curve's OID; `point`: 04‖x‖y, in an OCTET STRING as PKCS#11 says, or bare as some tokens do. */
function spki(parameters: Buffer, point: Buffer): Buffer {
  const bare = point[0] === 0x04 && point[1] === point.length - 2 ? point.subarray(2) : point;
  const long = point[0] === 0x04 && point[1] === 0x81 && point[2] === point.length - 3;
  const bits = Buffer.concat([Buffer.of(0), long ? point.subarray(3) : bare]);
  return element(
    0x30,
    Buffer.concat([element(0x30, Buffer.concat([EC_PUBLIC_KEY, parameters])), element(0x03, bits)]),
  );
}

function element(tag: number, body: Buffer): Buffer {
  const length = body.length < 0x80 ? [body.length] : [0x81, body.length];
  return Buffer.concat([Buffer.of(tag, ...length), body]);
}
