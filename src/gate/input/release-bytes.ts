// The release itself: an MBOM that a listed identity signed, the model's files as it lists them, the model's own signature over the same
// files, and a scan that passed.
import { join } from 'node:path';
import type { Mbom } from '../../proof/bom/mbom.ts';
import { openMbom } from '../../proof/bom/mbom-document.ts';
import { tensorsDigest } from '../../proof/bom/tensors-digest.ts';
import { compareFiles } from '../../proof/sign/files/comparison.ts';
import { DEFAULT_IGNORED } from '../../proof/sign/files/exclusion.ts';
import type { DeclarableTensor } from '../../proof/sign/files/model-digest.ts';
import { documentSigner, openStatement } from '../../proof/sign/signer/signature.ts';
import type { SignableFile } from '../../proof/sign/statement/manifest.ts';
import { readModelStatement } from '../../proof/sign/statement/model-statement.ts';
import type { Signer } from '../../proof/sign/trust.ts';
import { readEnvelope } from '../claim/envelope.ts';
import { type Identity, provenBy } from '../claim/identity.ts';
import { digestOf, type EvidenceFile } from '../claim/piece.ts';
import { type Denial, deny, settled } from '../verdict/denial.ts';
import { readMaybe } from './folder.ts';

/** Everything that a verdict is made of, as bytes and digests. */
export interface ReleaseBytes {
  readonly mbom: EvidenceFile;
  readonly mbomSignature: Buffer | null;
  readonly modelSignature: Buffer | null;
  /** Of the model, all that are there. */
  readonly files: readonly SignableFile[];
  /** Of the weight files; absent where the model was not read. */
  readonly tensors?: readonly DeclarableTensor[];
  /** Files beside the model that the MBOM lists as configuration, and that are there. */
  readonly config: readonly SignableFile[];
  readonly evidence: readonly EvidenceFile[];
  /** The verdict of a scan of the same files, where the policy says `rerun`. */
  readonly scan: 'pass' | 'fail' | 'error' | null;
}

export interface PartProof {
  readonly by: string;
  readonly signer: Signer;
}

/** The MBOM, once it is known who signed its bytes. Refuses. */
export function provenMbom(
  { mbom, mbomSignature }: ReleaseBytes,
  identities: readonly Identity[],
  now: Date,
): PartProof & { readonly mbom: Mbom } {
  if (mbomSignature === null) deny('UNSIGNED', 'the MBOM has no signature', { file: mbom.path });
  const bundle = readEnvelope(mbomSignature!);
  const { by, signer } = provenBy(identities, bundle, (trust) => ({
    signer: documentSigner(mbom.bytes, bundle, trust, now),
  }));
  return { by, signer, mbom: openMbom(mbom.bytes) };
}

/** Every difference between the MBOM and what is there. */
export function fileDenials(mbom: Mbom, release: ReleaseBytes): readonly Denial[] {
  const model = settled(() => {
    const declared = mbom.files.map(({ path, sha256, size }) => ({ name: path, sha256, size }));
    compareFiles(declared, release.files, { signer: DEFAULT_IGNORED, verifier: [] });
    compareTensors(mbom, release);
  });
  const config = settled(() => {
    const declared = (mbom.config ?? []).map(({ path, sha256, size }) => ({ name: path, sha256, size }));
    compareFiles(declared, release.config, { signer: [], verifier: [] });
  });
  return [...(model.denials ?? []), ...(config.denials ?? [])];
}

function compareTensors({ tensors: declared }: Mbom, { tensors }: ReleaseBytes): void {
  if (declared === undefined || tensors === undefined) return;
  const actual = tensorsDigest(tensors);
  if (actual.digest === declared.digest && actual.count === declared.count) return;
  deny('DIGEST_MISMATCH', 'the tensors are not those that the MBOM declares', {
    expected: declared.digest,
    actual: actual.digest,
  });
}

/** Who signed the model. Refuses with every difference, and if it is another model than the MBOM's. */
export function provenModel(
  { modelSignature, files }: ReleaseBytes,
  mbom: Mbom | null,
  identities: readonly Identity[],
  now: Date,
): PartProof {
  if (modelSignature === null) deny('UNSIGNED', 'the model has no signature: model.sig is missing');
  const bundle = readEnvelope(modelSignature!);
  const { by, signer, value } = provenBy(identities, bundle, (trust) => openStatement(bundle, trust, now));
  const signed = readModelStatement(value.statement);
  compareFiles(signed.resources, files, { signer: signed.ignored, verifier: [] });
  if (mbom !== null && `sha256:${signed.root}` !== mbom.model.digest)
    deny('ROOT_MISMATCH', 'the signature is of another model than the MBOM', {
      expected: mbom.model.digest,
      actual: `sha256:${signed.root}`,
    });
  return { by, signer };
}

/** The configuration files that an MBOM lists and that are there. Nothing is trusted yet: only digests are taken. */
export function readConfig(mbom: Buffer, folder: string): SignableFile[] {
  const read = settled(() => openMbom(mbom));
  return (read.value?.config ?? []).flatMap(({ path }): SignableFile[] => {
    const bytes = readMaybe(join(folder, path));
    return bytes === null ? [] : [{ path, sha256: digestOf(bytes), size: bytes.length, format: null }];
  });
}
