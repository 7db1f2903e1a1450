// Drills on recalls: the list gone, cut and old; the release, its model and its image recalled.

import { readMbom } from '../../../proof/bom/mbom-document.ts';
import { heartbeatPredicate, RECALL, recallPredicate } from '../../approval/approval-documents.ts';
import { digestOf, linesOf } from '../../claim/piece.ts';
import { milliseconds } from '../../release-policy/release-policy.ts';
import { type Drill, fileOf, type Scene, stated, trusting, withFile, without } from './scene.ts';

export function recallDrills({ release, policy }: Scene): Drill[] {
  const lists = release.evidence.filter(({ bytes }) => isList(bytes)).map(({ path }) => path);
  const mbom = readMbom(release.mbom.bytes);
  const parts: readonly (readonly [string, string | undefined])[] = [
    ['the release', release.mbom.digest],
    ['the model', mbom.model.digest],
    ['the base model', mbom.baseModel?.digest],
    ['the adapter', mbom.adapter?.digest],
    ['the image', mbom.runtimeImage?.split('@')[1]],
    ['a file', `sha256:${mbom.files[0]!.sha256}`],
  ];
  return [
    {
      name: 'recalls: the list is deleted',
      codes: ['RECALLS_STALE'],
      change: (scene) => without(scene, lists),
    },
    {
      name: 'recalls: the last line of the list is cut off',
      codes: ['RECALLS_STALE'],
      change: (scene) => lists.reduce((all, path) => withFile(all, path, cut(fileOf(all, path))), scene),
    },
    {
      name: 'recalls: the clock, after the list got too old',
      codes: ['RECALLS_STALE'],
      change: (scene) => ({ ...scene, now: scene.now + milliseconds(policy.json.recalls.maxAge) + 600_000 }),
    },
    ...parts.flatMap(([what, digest]): Drill[] =>
      digest === undefined
        ? []
        : [
            {
              name: `recalls: ${what} is recalled`,
              codes: ['RECALLED'],
              change: (scene) => recalling(scene, digest),
            },
          ],
    ),
  ];
}

/** One digest recalled. */
export const recallOf = (digest: string, name: string): Drill => ({
  name,
  codes: ['RECALLED'],
  change: (scene) => recalling(scene, digest),
});

const isList = (bytes: Buffer): boolean =>
  linesOf(bytes).some(({ bytes: line }) => {
    const [, payload] = /"payload":\s*"([^"]*)"/.exec(line.toString('latin1')) ?? [];
    return payload !== undefined && Buffer.from(payload, 'base64').includes(RECALL);
  });

const cut = (bytes: Buffer): Buffer => {
  const last = linesOf(bytes).at(-1);
  return last === undefined ? bytes : bytes.subarray(0, last.bytes.byteOffset - bytes.byteOffset);
};

function recalling(scene: Scene, digest: string): Scene {
  const trusted = trusting(scene, scene.policy.json.recalls.signedBy);
  const line = stated(digest, RECALL, recallPredicate({ created: scene.now, reason: 'drill' }));
  const beat = stated(digestOf(line), RECALL, heartbeatPredicate(1, scene.now));
  return withFile(trusted, 'evidence/drill.intoto.jsonl', Buffer.concat([line, beat]));
}
