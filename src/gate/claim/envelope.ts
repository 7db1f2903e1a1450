// Envelopes around statements: Sigstore bundles, and the bare DSSE that `cosign download attestation` prints.
import { readBundle } from '../../proof/sign/bundle/bundle.ts';
import { readBase64 } from '../../proof/sign/bundle/encoding.ts';
import type { Bundle } from '../../proof/sign/bundle/material.ts';
import { refuse } from '../../proof/sign/refusal.ts';
import type { Foreign } from './foreign.ts';

export const readEnvelope = (bytes: Buffer): Bundle => readBundle(bytes);

/**
 * A bare DSSE envelope as a bundle that names no key. Its key id is a hint that nobody signed, and is not read. More than one
 * signature is refused: which of them would be the one that was checked?
 */
export function bareEnvelope(envelope: Foreign): Bundle {
  envelope.only('payload', 'payloadType', 'signatures');
  const payload = readBase64(envelope.get('payload').text(), 'payload');
  const [signature, ...more] = envelope.get('signatures').list();
  if (signature === undefined) return refuse('UNSIGNED', 'the envelope holds no signature');
  if (more.length > 0) refuse('MALFORMED_BUNDLE', 'the envelope holds more than one signature');
  signature.only('sig', 'keyid').get('keyid').maybeText();
  return {
    content: {
      kind: 'envelope',
      payloadType: envelope.get('payloadType').text(),
      payload,
      signature: readBase64(signature.get('sig').text(), 'signature'),
    },
    material: { method: 'key', hint: null, raw: null },
    json: null,
  };
}
