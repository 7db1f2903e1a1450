// The image that runs, as the node reports it, against the one that the release was tried in.
import type { Mbom } from '../../../proof/bom/mbom.ts';
import type { PodFacts } from '../target.ts';
import { says, type Witness } from './witness.ts';

export function imageLook({ runtimeImage }: Mbom, { imageId }: PodFacts): Witness {
  if (runtimeImage === undefined) return says('image', null, 'the MBOM names no runtime image');
  if (imageId === null) return says('image', null, 'the pod reports no image yet');
  // An image that was loaded into the node by hand has an id and no registry digest: the two cannot be compared.
  const [, running] = /@(sha256:[0-9a-f]{64})$/.exec(imageId) ?? [];
  if (running === undefined)
    return says('image', 'inconclusive', `the node reports no digest: ${imageId.slice(0, 200)}`);
  const declared = runtimeImage.slice(runtimeImage.lastIndexOf('@') + 1);
  return running === declared
    ? says('image', 'ok', 'the container runs the declared image')
    : says('image', 'image-mismatch', `the container runs ${running}, declared is ${declared}`);
}
