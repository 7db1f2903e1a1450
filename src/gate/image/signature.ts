// Is the image signed? cosign's new form (a statement of its own predicate type in a bundle) and its old one (a payload with the digest
// inside). Both are looked at, and the same is asked of each: a registry must not choose the form. An attestation is no
// signature, whoever made it: cosign 3.1.3 takes one for the other.

import { refuse } from '../../proof/sign/refusal.ts';
import { fingerprint, hashOf, isSignature, readPublicKey } from '../../proof/sign/signer/key.ts';
import type { Signer, Trust } from '../../proof/sign/trust.ts';
import { readForeign } from '../claim/foreign.ts';
import { type Identity, provenBy } from '../claim/identity.ts';
import type { Opened } from '../claim/opened.ts';
import {
  base64,
  type EvidenceFile,
  type OldSignaturePiece,
  type Piece,
  type Source,
} from '../claim/piece.ts';
import { type Claim, kindOfPredicate } from '../claim/proven-claim.ts';
import { type Denial, deny, settled } from '../verdict/denial.ts';

const OLD_LAYER = 'application/vnd.dev.cosign.simplesigning.v1+json';
const OLD_TYPE = 'cosign container image signature';

interface ImageSignature {
  readonly source: Source;
  readonly by: string;
  readonly signer: Signer;
}

interface ImageSignatures {
  readonly counted: readonly ImageSignature[];
  /** What does not count, and why. */
  readonly refused: readonly (Denial & { readonly source: Source })[];
}

/** @param digest the one that the MBOM pins: exactly that must be signed, an index or a manifest. */
export function imageSignatures(
  digest: string,
  { claims, unopened }: Opened,
  pieces: readonly Piece[],
  files: readonly EvidenceFile[],
  identities: readonly Identity[],
): ImageSignatures {
  const counted: ImageSignature[] = [];
  const refused: (Denial & { source: Source })[] = [];
  const take = (source: Source, prove: () => ImageSignature): void => {
    const tried = settled(prove);
    if (tried.denials === undefined) counted.push(tried.value);
    else refused.push(...tried.denials.map((denial) => ({ ...denial, source })));
  };
  const listed = identities.map(({ name }) => name);
  for (const claim of claims.filter(({ kind }) => kind === 'image-signature'))
    take(claim.source, () => newForm(claim, digest, listed));
  for (const { piece, denials } of unopened) {
    if (piece.form !== 'statement' || kindOfPredicate(piece.claims) !== 'image-signature') continue;
    refused.push(...denials.map((denial) => ({ ...denial, source: piece.source })));
  }
  for (const old of oldSignatures(pieces, files)) take(old.source, () => oldForm(old, digest, identities));
  return { counted, refused };
}

function newForm(
  { source, by, signer, subjects }: Claim,
  digest: string,
  listed: readonly string[],
): ImageSignature {
  if (!listed.includes(by)) deny('EVIDENCE_UNTRUSTED', `${by} is not listed to sign the image`);
  if (!subjects!.includes(digest))
    deny('EVIDENCE_FOR_OTHER', 'the signature is of another image', {
      expected: digest,
      actual: subjects![0]!,
    });
  return { source, by, signer };
}

function oldForm(old: OldSignaturePiece, digest: string, identities: readonly Identity[]): ImageSignature {
  if (old.keyless) deny('UNSUPPORTED_BUNDLE', "cosign's old signatures with a certificate are not verified");
  const { by, signer } = provenBy(identities, KEYED, (trust) => ({ signer: signerOf(old, trust) }));
  const payload = readForeign(old.payload);
  const critical = payload.only('critical', 'optional').get('critical').only('identity', 'image', 'type');
  const type = critical.get('type');
  if (type.text() !== OLD_TYPE) type.wrong(`must be ${JSON.stringify(OLD_TYPE)}`);
  const actual = critical.get('image').get('docker-manifest-digest').digest();
  if (actual !== digest)
    deny('EVIDENCE_FOR_OTHER', 'the signature is of another image', { expected: digest, actual });
  return { source: old.source, by, signer };
}

/** The old form names no key: each may be tried. */
const KEYED = {
  content: { kind: 'message', digest: null, signature: Buffer.alloc(0) },
  material: { method: 'key', hint: null, raw: null },
  json: null,
} as const;

function signerOf({ payload, signature }: OldSignaturePiece, trust: Trust): Signer {
  if (trust.method !== 'key') return refuse('WRONG_METHOD', 'the signature is by a key');
  const key = readPublicKey(trust.publicKey);
  if (!isSignature(key, hashOf(key)!, payload, signature))
    refuse('BAD_SIGNATURE', 'the signature does not match: it was changed, or made with another key');
  return { method: 'key', fingerprint: fingerprint(key) };
}

/** As files of their own, and as an OCI layout has them: a manifest whose layers are the payloads, signatures in annotations. */
function oldSignatures(pieces: readonly Piece[], files: readonly EvidenceFile[]): OldSignaturePiece[] {
  const bytes = new Map(files.map((file) => [file.digest, file.bytes]));
  return pieces.flatMap((piece): OldSignaturePiece[] => {
    if (piece.form === 'old-signature') return [piece];
    if (piece.form !== 'image') return [];
    const read = settled(() =>
      piece.document
        .get('layers')
        .maybeList()
        .filter((layer) => layer.get('mediaType').value === OLD_LAYER)
        .flatMap((layer) => {
          const payload = bytes.get(layer.get('digest').digest());
          const annotations = layer.get('annotations');
          if (payload === undefined || annotations.absent) return [];
          const signature = annotations.get('dev.cosignproject.cosign/signature');
          const keyless = !annotations.get('dev.sigstore.cosign/certificate').absent;
          return [
            {
              form: 'old-signature',
              source: piece.source,
              payload,
              signature: base64(signature),
              keyless,
            } as const,
          ];
        }),
    );
    return read.value ?? [];
  });
}
