// What all controls together say: which files count, who made the release, what a recall may withdraw, what decided nothing.
import { place } from '../claim/piece.ts';
import type { PartProof, ReleaseBytes } from '../input/release-bytes.ts';
import { type UnusedEvidence, unusedOf } from '../verdict/verdict.ts';
import type { Context } from './context.ts';
import type { Controlled } from './control.ts';

/** Evidence files that a control counted; recalls are newer every day and are not reviewed. */
export function reviewedOf(
  controls: readonly Controlled[],
): { readonly name: string; readonly digest: string }[] {
  const files = new Map(
    controls.flatMap(({ result }) =>
      result.evidence.map(({ file, digest }) => [digest, { name: file, digest }] as const),
    ),
  );
  return [...files.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
}

/** Who made the release, or measured it: keys and identities. */
const PRODUCING = new Set(['build', 'performance', 'layout', 'scan']);

export function producersOf(
  controls: readonly Controlled[],
  parts: readonly PartProof[],
): ReadonlySet<string> {
  const evidence = controls
    .filter(({ verdict }) => PRODUCING.has(verdict.kind))
    .flatMap(({ result }) => result.evidence);
  const keys = [...parts, ...evidence].flatMap(({ signer }) =>
    signer.method === 'key' ? [signer.fingerprint] : [],
  );
  const names = [...parts, ...evidence].map(({ by }) => by);
  return new Set([...keys, ...names, ...controls.flatMap(({ result }) => result.producers ?? [])]);
}

/** What a recall may withdraw: every digest that the release rests on, and what it is. */
export function partsOf(
  release: ReleaseBytes,
  { mbom, image }: Context,
  controls: readonly Controlled[],
): ReadonlyMap<string, string> {
  const parts = new Map<string, string>();
  const put = (digest: string | null | undefined, what: string): void => {
    if (digest) parts.set(digest, what);
  };
  put(release.mbom.digest, 'the release');
  put(mbom.model.digest, 'the model');
  put(mbom.baseModel?.digest, 'the base model');
  put(mbom.adapter?.digest, 'the adapter');
  put(mbom.profile, 'the profile');
  put(mbom.tensors?.digest, 'the tensors');
  for (const { path, sha256 } of [...mbom.files, ...(mbom.config ?? [])])
    put(`sha256:${sha256}`, `the file ${path}`);
  for (const { name, sha256 } of release.tensors ?? []) put(sha256, `the tensor ${name}`);
  put(image?.digest, 'the image');
  for (const { name, manifest, config, layers } of image?.platforms ?? []) {
    put(manifest, `the image for ${name}`);
    put(config, `the configuration of the image for ${name}`);
    for (const layer of layers) put(layer, `a layer of the image for ${name}`);
  }
  for (const { result } of controls)
    for (const { digest, file, signer, by } of result.evidence) {
      put(digest, `the evidence ${file}`);
      if (signer.method === 'key') put(signer.fingerprint, `the key of ${by}`);
    }
  return parts;
}

/** Evidence that decided nothing, with the reason. */
export function unusedPieces(
  { opened, pieces, image }: Context,
  controls: readonly Controlled[],
): UnusedEvidence[] {
  const inImage = new Set(
    image === null
      ? []
      : [image.digest, ...image.platforms.flatMap(({ manifest, config }) => [manifest, config])],
  );
  const counted = new Set(
    controls.flatMap(({ result }) => result.evidence.map((one) => `${one.file}:${one.line}`)),
  );
  const told = controls.flatMap(({ result }) => result.unused);
  const key = ({ file, line }: { file: string; line: number | null }): string => `${file}:${line}`;
  const refused = new Set(controls.flatMap(({ denials }) => denials.map(({ file }) => file)));
  const known = new Set([...counted, ...told.map(key)]);
  const rest = pieces
    .filter(({ source }) => !known.has(key(source)) && !refused.has(place(source)))
    .flatMap((piece): UnusedEvidence[] => {
      if (piece.form === 'image')
        return inImage.has(piece.source.digest)
          ? []
          : [unusedOf(piece.source, 'its digest is none that the image of the MBOM names')];
      if (piece.form === 'other') return [unusedOf(piece.source, piece.reason)];
      const unopened = opened.unopened.find((one) => one.piece === piece);
      if (unopened !== undefined) return [unusedOf(piece.source, unopened.denials[0].message)];
      const claim = opened.claims.find((one) => one.source === piece.source);
      if (claim?.kind === 'approval' || claim?.kind === 'recall' || claim?.kind === 'trivy-version')
        return [];
      return [unusedOf(piece.source, 'no control of the policy asks for it')];
    });
  const distinct = new Map([...told, ...rest].map((one) => [`${key(one)} ${one.reason}`, one]));
  return [...distinct.values()].filter((one) => !counted.has(key(one)));
}
