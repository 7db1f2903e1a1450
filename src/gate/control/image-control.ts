// The image: from a repository that is listed, for each platform that is promoted, and signed by a listed identity under exactly the
// digest that the MBOM pins.

import { place } from '../claim/piece.ts';
import { type ImageFacts, isAllowed, requirePlatforms } from '../image/image.ts';
import { imageSignatures } from '../image/signature.ts';
import { type Denial, deny, settled } from '../verdict/denial.ts';
import { unusedOf } from '../verdict/verdict.ts';
import type { Context, ControlResult } from './context.ts';

export function imageControl(context: Context): ControlResult {
  const { policy, image } = context;
  const demand = policy.json.image;
  const nothing = { evidence: [], unused: [], limits: [] };
  if (demand === 'none') {
    if (image === null) return { ...nothing, denials: [] };
    const message = 'the release names an image, and the policy allows none';
    return { ...nothing, denials: [{ code: 'UNTRUSTED_REGISTRY', message, actual: image.reference }] };
  }
  if (image === null)
    return { ...nothing, denials: [{ code: 'MALFORMED_MBOM', message: 'the MBOM names no runtime image' }] };
  const listed = policy.identities.filter(({ name }) => demand.signedBy.includes(name));
  const { counted, refused } = imageSignatures(
    image.digest,
    context.opened,
    context.pieces,
    context.files,
    listed,
  );
  const unsigned: Denial = {
    code: 'UNSIGNED',
    message: 'nothing among the evidence is a signature of the image',
  };
  const short =
    refused.length === 0
      ? [unsigned]
      : refused.map(({ source, ...one }) => ({ ...one, file: place(source) }));
  return {
    evidence: counted.map(({ source, by, signer }) => ({
      ...source,
      kind: 'image-signature',
      by,
      signer,
      time: null,
      database: null,
    })),
    denials: [...inPlace(image, demand), ...(counted.length > 0 ? [] : short)],
    unused:
      counted.length === 0
        ? []
        : refused.map(({ source, code, message }) => unusedOf(source, `${code}: ${message}`)),
    limits: [],
  };
}

function inPlace(
  image: ImageFacts,
  demand: { readonly repositories: readonly string[]; readonly platforms: readonly string[] },
): Denial[] {
  const checks = [
    () => {
      if (!isAllowed(image.repository, demand.repositories))
        deny('UNTRUSTED_REGISTRY', 'the image is from a repository that is not listed', {
          expected: demand.repositories.join(', '),
          actual: image.repository,
        });
    },
    () => requirePlatforms(image, demand.platforms),
  ];
  return checks.flatMap((check) => settled(check).denials ?? []);
}
