// RFC 7512: `pkcs11:token=release;object=model-signing?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/pin`.
import { SteelyardError } from '../../../rules/error.ts';

export interface TokenUri {
  /** What the token must be; what is not named may be anything. */
  readonly token: string | null;
  readonly manufacturer: string | null;
  readonly model: string | null;
  readonly serial: string | null;
  readonly slotId: number | null;
  /** What the key must be. */
  readonly object: string | null;
  readonly id: Buffer | null;
  readonly modulePath: string | null;
  readonly pinFile: string | null;
}

const PATH = new Set(['token', 'manufacturer', 'model', 'serial', 'slot-id', 'object', 'id', 'type']);
const QUERY = new Set(['module-path', 'pin-source', 'pin-value']);

/** Throws USAGE. A PIN in the address would stand in every process list, and is refused. */
export function readTokenUri(uri: string): TokenUri {
  const [, path, query = ''] = /^pkcs11:([^?]*)(?:\?(.*))?$/s.exec(uri) ?? [];
  const parts = attributes(path ?? '', ';', (name) => PATH.has(name));
  const options = attributes(query, '&', (name) => QUERY.has(name));
  if (options.has('pin-value'))
    throw usage('the PIN must not stand in the address: use STEELYARD_PKCS11_PIN, or pin-source=file:…');
  const text = (name: string): string | null => parts.get(name)?.toString('utf8') ?? null;
  const [type, slot] = [text('type'), text('slot-id')];
  if (type !== null && type !== 'private') throw usage(`it is a private key that signs, not type=${type}`);
  if (slot !== null && !/^\d{1,9}$/.test(slot)) throw usage('slot-id is a number');
  const [object, id] = [text('object'), parts.get('id') ?? null];
  if (object === null && id === null) throw usage('name the key: object=LABEL or id=%01');
  return {
    token: text('token'),
    manufacturer: text('manufacturer'),
    model: text('model'),
    serial: text('serial'),
    slotId: slot === null ? null : Number(slot),
    object,
    id,
    modulePath: options.get('module-path')?.toString('utf8') ?? null,
    pinFile: pinFile(options.get('pin-source')?.toString('utf8')),
  };
}

function pinFile(source: string | undefined): string | null {
  if (source === undefined) return null;
  const path = source.startsWith('file:') ? source.slice('file:'.length).replace(/^\/\/(?=\/)/, '') : source;
  if (path.startsWith('/')) return path;
  throw usage('pin-source is a file with its whole path: pin-source=file:/run/secrets/pin');
}

function attributes(text: string, separator: string, isKnown: (name: string) => boolean) {
  const found = new Map<string, Buffer>();
  for (const part of text === '' ? [] : text.split(separator)) {
    const [, name, value] = /^([a-z0-9-]+)=(.*)$/s.exec(part) ?? [];
    // An attribute that is passed over could be the one that tells two keys apart. The value may be a secret in the wrong place.
    if (name === undefined || !isKnown(name))
      throw usage(`an attribute of it is not known: ${name ?? 'no name'}`);
    if (found.has(name)) throw usage(`${name} stands twice`);
    found.set(name, decoded(value!, name));
  }
  return found;
}

/** Percent-encoding gives bytes: an id is any. */
function decoded(value: string, name: string): Buffer {
  if (/%(?![0-9A-Fa-f]{2})/.test(value)) throw usage(`${name} is not percent-encoded as it must be`);
  const pieces = value.split(/(%[0-9A-Fa-f]{2})/);
  return Buffer.concat(
    pieces.map((piece) =>
      /^%[0-9A-Fa-f]{2}$/.test(piece) ? Buffer.from(piece.slice(1), 'hex') : Buffer.from(piece),
    ),
  );
}

const usage = (message: string): SteelyardError =>
  new SteelyardError('USAGE', `the PKCS#11 address cannot be used: ${message}`);
