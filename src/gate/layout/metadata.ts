// in-toto's signed metadata in its two envelopes: Metablock (signed over canonical JSON) and DSSE. What is signed is the raw object:
// in-toto 3.1.0 drops fields that it does not know before it computes what was signed, so that anybody can add some.
import { encode, IN_TOTO } from '../../proof/sign/bundle/envelope.ts';
import { type Foreign, readForeign } from '../claim/foreign.ts';
import { base64 } from '../claim/piece.ts';
import { canonicalJson } from './canonical-json.ts';

export interface Metadata {
  readonly type: 'layout' | 'link';
  /** A claim until one of the signatures was checked over `bytes`. */
  readonly signed: Foreign;
  readonly bytes: Buffer;
  readonly signatures: readonly { readonly keyid: string; readonly signature: Buffer }[];
}

const MAX_SIGNATURES = 64;

/** Refuses with MALFORMED_LAYOUT. */
export function readMetadata(bytes: Buffer): Metadata {
  const document = readForeign(bytes, 'MALFORMED_LAYOUT');
  const bare = !document.get('payload').absent;
  document.only('signatures', ...(bare ? ['payload', 'payloadType'] : ['signed']));
  const list = document.get('signatures').list();
  if (list.length > MAX_SIGNATURES) document.get('signatures').wrong(`must be at most ${MAX_SIGNATURES}`);
  const signed = bare ? payloadOf(document) : { body: document.get('signed'), bytes: null };
  const type = signed.body.get('_type').text();
  if (type !== 'layout' && type !== 'link') signed.body.get('_type').wrong('must be layout or link');
  return {
    type: type as Metadata['type'],
    signed: signed.body,
    bytes: signed.bytes ?? canonicalJson(signed.body.value),
    signatures: list.map((one) => ({
      keyid: one.only('keyid', 'sig', 'other_headers', 'cert').get('keyid').maybeText() ?? '',
      signature: bare ? base64(one.get('sig')) : hex(one.get('sig')),
    })),
  };
}

function payloadOf(document: Foreign): { readonly body: Foreign; readonly bytes: Buffer } {
  const type = document.get('payloadType');
  if (type.text() !== IN_TOTO) type.wrong(`must be ${IN_TOTO}`);
  const payload = base64(document.get('payload'));
  return { body: readForeign(payload, 'MALFORMED_LAYOUT'), bytes: encode(IN_TOTO, payload) };
}

function hex(field: Foreign): Buffer {
  const text = field.text();
  return /^([0-9a-f]{2})+$/.test(text) ? Buffer.from(text, 'hex') : field.wrong('must be hex digits');
}
