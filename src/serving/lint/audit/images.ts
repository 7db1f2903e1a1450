// Which image runs: pinned by its digest, and the one that the release was tested with.

import type { Fact } from '../../yaml/place.ts';
import { type Container, engineOf, isJob, type Workload } from '../container/container.ts';
import { about, type Broken, type Check, type Context, objectOf } from './broken.ts';

const DIGEST = /@(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export const checkImages: Check = (workload, context) => [
  ...workload.containers.flatMap((container) =>
    // A Dockerfile's images are those of its build, its last one among them.
    container.image === null || workload.format === 'dockerfile'
      ? []
      : imageFindings(container.image, about(workload, container)),
  ),
  ...notInBom(workload, context),
];

type Say = ReturnType<typeof about>;

/** What is wrong with a reference, whoever makes it. */
export function imageFindings({ value, at }: Fact<string>, say: Say): Broken[] {
  if (DIGEST.test(value)) return [];
  const found = [
    say('image/unpinned', at, {
      message: value.includes('@') ? 'the digest is malformed' : 'the image has no digest',
      actual: value,
    }),
  ];
  const tag = /:([^:/@]+)$/.exec(value.split('@')[0]!)?.[1];
  const chosen = value.includes('$');
  if (!chosen && (tag === undefined || tag === 'latest'))
    found.push(
      say('image/latest', at, {
        message: tag === undefined ? 'the image has no tag, which means latest' : 'the tag is latest',
        actual: value,
      }),
    );
  return found;
}

/** Every server must run the image of the release; where none is known as one, some container must. */
function notInBom(workload: Workload, { release }: Context): Broken[] {
  if (release === null || workload.format === 'dockerfile' || workload.format === 'oci') return [];
  const main = workload.containers.filter(({ role }) => role === 'main');
  const servers = main.filter((container) => engineOf(container) !== null);
  const wrong = (servers.length > 0 ? servers : main).filter(
    (container) => !isRuntime(container, release.image),
  );
  if (servers.length === 0 && wrong.length < main.length) return [];
  return wrong.map((container) => {
    const actual = container.image?.value ?? 'no image is written here';
    if (release.image === null)
      return about(workload, container)('image/not-in-bom', container.at, {
        message: 'the MBOM names no runtime image, so that no image can be compared with it',
        actual,
      });
    return about(workload, container)('image/not-in-bom', (container.image ?? container).at, {
      message: 'the image is not the runtime image of the MBOM',
      expected: release.image,
      actual,
    });
  });
}

/** By digest: the same image may lie in another registry. */
const isRuntime = ({ image }: Container, runtime: string | null): boolean =>
  runtime !== null && image !== null && DIGEST.exec(image.value)?.[1] === DIGEST.exec(runtime)?.[1];

/** Whether the pod's own words name the release. */
export const checkProvenance: Check = (workload, { release }) => {
  if (workload.format !== 'kubernetes') return [];
  const server = workload.containers.find(
    ({ role, ...rest }) => role === 'main' && engineOf({ role, ...rest }),
  );
  const id = workload.annotations.get('steelyard.dev/bom-id');
  const model = workload.annotations.get('steelyard.dev/model-sha');
  const object = objectOf(workload);
  const other = (fact: Fact<string> | undefined, expected: string, what: string): Broken[] =>
    fact === undefined || fact.value === expected
      ? []
      : [
          {
            rule: 'provenance/other-release',
            at: fact.at,
            object,
            message: `the annotation names ${what}`,
            expected,
            actual: fact.value,
          },
        ];
  const mismatched =
    release === null
      ? []
      : [
          ...other(id, release.id, 'a different release'),
          ...other(model, release.model, 'a different model'),
        ];
  const gated = workload.readinessGates.includes('steelyard.dev/provenance');
  // No request reaches a job, so no gate keeps requests from it.
  if (server === undefined || isJob(workload) || (id !== undefined && gated)) return mismatched;
  const missing = [
    ...(id === undefined ? ['the annotation steelyard.dev/bom-id'] : []),
    ...(gated ? [] : ['the readiness gate steelyard.dev/provenance']),
  ];
  return [
    ...mismatched,
    { rule: 'provenance/absent', at: workload.at, object, message: `the pod lacks ${missing.join(' and ')}` },
  ];
};
