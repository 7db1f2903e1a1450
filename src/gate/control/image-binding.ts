// Which platform of the pinned image is a report about? Scanners name the digest of what they fetched, which for an image of several
// platforms is the index, and the digest of the configuration, which one platform has. Both must fit.
import type { Claim } from '../claim/proven-claim.ts';
import type { ImageNames } from '../evidence/evidence.ts';
import { type ImageFacts, type Platform, platformOfConfig } from '../image/image.ts';
import { deny } from '../verdict/denial.ts';
import type { Context } from './context.ts';

/** Refuses with EVIDENCE_UNBOUND, EVIDENCE_FOR_OTHER and EVIDENCE_CONTRADICTORY. */
export function platformOf(claim: Claim, names: ImageNames, { image, pieces }: Context): Platform {
  if (image === null) return deny('EVIDENCE_UNBOUND', 'the release names no image');
  const said = claim.subjects ?? [];
  const ours = [image.digest, ...image.platforms.map(({ manifest }) => manifest)];
  const fitting = (digests: readonly string[]): string[] => digests.filter((one) => ours.includes(one));
  const wrapped = fitting(said);
  if (claim.subjects !== null && wrapped.length === 0) return forOther(image, said[0]);
  const named = fitting(names.digests);
  if (names.digests.length > 0 && named.length === 0) {
    // An attestation about our image around a report of another one.
    if (claim.subjects !== null) return contradiction(image.digest, names.digests[0]);
    return forOther(image, names.digests[0]);
  }
  const all = [...wrapped, ...named];
  const byConfig = names.config === null ? null : platformOfConfig(image, names.config, pieces);
  if (byConfig === undefined) {
    if (all.length > 0) return contradiction(image.digest, names.config ?? undefined);
    return forOther(image, names.config ?? undefined);
  }
  return decided(image, all, byConfig);
}

function decided(image: ImageFacts, digests: readonly string[], byConfig: Platform | null): Platform {
  const manifests = new Set(
    digests.filter((one) => image.platforms.some(({ manifest }) => manifest === one)),
  );
  const byManifest = image.platforms.filter(({ manifest }) => manifests.has(manifest));
  const [one, ...others] = byConfig === null ? byManifest : [byConfig];
  if (byConfig !== null && byManifest.some((platform) => platform !== byConfig))
    return contradiction(byConfig.manifest, byManifest[0]!.manifest);
  if (one !== undefined && others.length === 0) return one;
  if (others.length > 0) return contradiction(one!.manifest, others[0]!.manifest);
  return deny(
    'EVIDENCE_UNBOUND',
    digests.length === 0
      ? 'it names no digest that leads to the image'
      : 'it names the image, and not which of its platforms was looked at',
  );
}

const place = (expected: string, actual: string | undefined) => ({
  expected,
  ...(actual === undefined ? {} : { actual }),
});

const forOther = ({ digest }: ImageFacts, actual: string | undefined): never =>
  deny('EVIDENCE_FOR_OTHER', 'it is about another image', place(digest, actual));

const contradiction = (expected: string, actual: string | undefined): never =>
  deny('EVIDENCE_CONTRADICTORY', 'it names the image in two ways that do not agree', place(expected, actual));
