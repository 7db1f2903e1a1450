// Drills on the release itself: its MBOM, its files, its signatures, the policy's own limits.
import { signDocument } from '../../../proof/sign/sign.ts';
import type { Verdict } from '../../verdict/verdict.ts';
import { changed, type Drill, flipped, type Scene, THROW_AWAY } from './scene.ts';

const OTHER = `sha256:${'0'.repeat(63)}1`;

export function releaseDrills({ release, policy }: Scene, verdict: Verdict): Drill[] {
  const [file] = release.files.filter(({ format }) => format !== null).concat(release.files);
  const rest = release.files.filter((one) => one !== file);
  const drill = (name: string, codes: Drill['codes'], change: Drill['change']): Drill => ({
    name,
    codes,
    change,
  });
  return [
    drill("the MBOM's signature is deleted", ['UNSIGNED'], (scene) =>
      changed(scene, { mbomSignature: null }),
    ),
    drill('the MBOM is signed by a stranger', ['WRONG_KEY', 'WRONG_METHOD'], (scene) =>
      changed(scene, { mbomSignature: Buffer.from(signDocument(release.mbom.bytes, THROW_AWAY)) }),
    ),
    drill('one bit of the MBOM is changed', ['BAD_SIGNATURE'], (scene) =>
      changed(scene, { mbom: { ...release.mbom, bytes: flipped(release.mbom.bytes) } }),
    ),
    drill('a file of the model is replaced', ['DIGEST_MISMATCH'], (scene) =>
      changed(scene, { files: [...rest, { ...file!, sha256: OTHER }] }),
    ),
    drill('a file of the model is missing', ['MISSING_FILE'], (scene) => changed(scene, { files: rest })),
    drill('an adapter is added to the model', ['EXTRA_FILE'], (scene) =>
      changed(scene, {
        files: [
          ...release.files,
          { path: 'drill.safetensors', sha256: OTHER, size: 1, format: 'safetensors' },
        ],
      }),
    ),
    drill("the model's signature is deleted", ['UNSIGNED'], (scene) =>
      changed(scene, { modelSignature: null }),
    ),
    drill(
      "one bit of the model's signature is changed",
      ['BAD_SIGNATURE', 'MALFORMED_BUNDLE', 'WRONG_KEY', 'UNSUPPORTED_BUNDLE'],
      (scene) => changed(scene, { modelSignature: flipped(release.modelSignature!) }),
    ),
    ...release.config.slice(0, 1).map((one) =>
      drill(`the serving file ${one.path} is changed`, ['DIGEST_MISMATCH'], (scene) =>
        changed(scene, {
          config: release.config.map((it) => (it === one ? { ...it, sha256: OTHER } : it)),
        }),
      ),
    ),
    drill('the gate policy has expired', ['POLICY_EXPIRED'], (scene) => ({
      ...scene,
      now: Date.parse(`${policy.json.expires}T00:00:00Z`) + 2 * 86_400_000,
    })),
    ...(policy.json.image === 'none' || verdict.release.image === null
      ? []
      : [
          drill("the image's registry is not listed", ['UNTRUSTED_REGISTRY'], (scene) => {
            const image = { ...(policy.json.image as object), repositories: ['drill.invalid/'] } as never;
            return { ...scene, policy: { ...policy, json: { ...policy.json, image } } };
          }),
        ]),
  ];
}
