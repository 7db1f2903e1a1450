// Verifies a release where it will be served, and says what the file system said while it did: the init step of a pod.
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { readMbom } from '../../proof/bom/mbom-document.ts';
import { type MbomProof, verifyMbom } from '../../proof/bom/verification.ts';
import { digestModel } from '../../proof/sign/files/model-digest.ts';
import type { Outcome } from '../../proof/sign/refusal.ts';
import type { Signer, Trust } from '../../proof/sign/trust.ts';
import { verifyDocument } from '../../proof/sign/verify.ts';
import { SteelyardError } from '../../rules/error.ts';
import type { Failure } from '../../rules/finding.ts';
import type { MeasureOptions } from '../../scan/measure/options.ts';
import type { Provenance, Stat } from './provenance-document.ts';
import { foldersOf, sameStat, statsOf } from './stat.ts';

export interface ReleaseOnDisk {
  /** The exact bytes of the MBOM. */
  readonly document: Uint8Array;
  /** The signature over them, and who must have made it. */
  readonly bundle: Uint8Array;
  readonly trust: Trust;
  /** The folder that the model server will read. */
  readonly root: string;
  /** Paths relative to the root that are no part of the model: the MBOM and its signature, if they lie there. */
  readonly ignore?: readonly string[];
}

export interface ProvenanceResult {
  readonly outcome: Outcome<{ readonly provenance: Provenance; readonly proof: MbomProof }>;
  /** Files that could not be read: while there are any, nothing is proven. */
  readonly errors: readonly Failure[];
}

/**
 * Verifies signature and every file, then says what stands on disk. The state of the files is taken before and after they were
 * read, and must be the same: what was hashed is what is described.
 *
 * @throws SteelyardError FILE_CHANGED, and what digestModel throws.
 */
export async function createProvenance(
  { document, bundle, trust, root, ignore = [] }: ReleaseOnDisk,
  now: Date,
  options: MeasureOptions = {},
): Promise<ProvenanceResult> {
  const signed = verifyDocument(document, bundle, trust, { now });
  if (!signed.verified) return { outcome: signed, errors: [] };
  const paths = readMbom(document).files.map(({ path }) => path);
  const places = [...paths, ...foldersOf(paths)];
  const before = await statsOf(root, places);
  const { files, tensors, errors } = await digestModel(root, options);
  const outcome = verifyMbom(document, files, { signature: { bundle, trust }, tensors, ignore, now });
  if (!outcome.verified || errors.length > 0) return { outcome: notProven(outcome), errors };
  const after = await statsOf(root, places);
  const stats = places.map((path, index) => unchanged(path, before[index]!, after[index]!));
  const provenance = described(outcome, document, stats, resolve(root), now);
  return { outcome: { verified: true, provenance, proof: outcome }, errors };
}

/** A proof over some of the files proves nothing. */
const notProven = (outcome: Outcome<MbomProof>): Extract<Outcome<never>, { verified: false }> =>
  outcome.verified
    ? { verified: false, refusals: [{ code: 'MISSING_FILE', message: 'not every file could be read' }] }
    : outcome;

function unchanged(path: string, before: Stat | null, after: Stat | null): Stat {
  if (before !== null && sameStat(before, after)) return before;
  const message = `${path} changed while the model was verified; verify it again when nothing writes to it`;
  throw new SteelyardError('FILE_CHANGED', message, { file: path });
}

function described(
  { mbom, signer }: MbomProof,
  document: Uint8Array,
  stats: readonly Stat[],
  root: string,
  now: Date,
): Provenance {
  const { model, adapter, runtimeImage, files } = mbom;
  const folders = foldersOf(files.map(({ path }) => path));
  return {
    schema: 'steelyard/provenance/1',
    modelSha: model.digest,
    bomId: `sha256:${createHash('sha256').update(document).digest('hex')}`,
    ...(adapter === undefined ? {} : { adapterSha: adapter.digest }),
    ...(runtimeImage === undefined ? {} : { runtimeImage }),
    signer: signerName(signer!),
    verifiedAt: now.toISOString(),
    root,
    files: files.map(({ path, sha256 }, index) => ({ path, sha256, stat: stats[index]! })),
    folders: folders.map((path, index) => ({ path, stat: stats[files.length + index]! })),
  };
}

function signerName(signer: Signer): string {
  if (signer.method === 'key') return `key ${signer.fingerprint}`;
  if (signer.method === 'certificate') return `certificate ${signer.fingerprint} of ${signer.subject}`;
  return `${signer.identity}, vouched for by ${signer.issuer}`;
}
