// A signature of an image as cosign 3 makes it, so that `cosign verify` takes it: a statement of cosign's predicate type, without a name.
import { type AnyKey, type Signed, signStatement } from '../../proof/sign/sign.ts';
import { SteelyardError } from '../../rules/error.ts';

/** @param reference `name@sha256:…`. Throws USAGE. */
export function signImage<Key extends AnyKey>(reference: string, key: Key): Signed<Key, string> {
  const [, sha256] = /^[^\s@]{1,1000}@sha256:([0-9a-f]{64})$/.exec(reference) ?? [];
  if (sha256 === undefined)
    throw new SteelyardError('USAGE', 'an image must be pinned by its digest to be signed: name@sha256:…');
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { sha256 }, annotations: {} }],
    predicateType: 'https://sigstore.dev/cosign/sign/v1',
    predicate: {},
  };
  return signStatement(Buffer.from(JSON.stringify(statement)), key);
}
