// The control `build`: SLSA provenance of the image, by builders whose own signers say so. Two different builders that made one digest
// are the evidence that the build can be reproduced.
import type { Claim } from '../claim/proven-claim.ts';
import type { Build } from '../evidence/evidence.ts';
import { readBuild } from '../evidence/slsa.ts';
import { signersOf } from '../release-policy/release-policy.ts';
import type { ControlOf } from '../release-policy/schema.ts';
import { deny } from '../verdict/denial.ts';
import { boundTo, type Context, type ControlResult, collect, evidenceOf } from './context.ts';

type Control = ControlOf<'build'>;

export function build(control: Control, context: Context): ControlResult {
  const { counted, denials, unused, limits } = collect<Build>(context, {
    signedBy: signersOf(control),
    count: control.count,
    maxAge: null,
    kinds: ['slsa/v1'],
    wants: ({ kind }) => kind === 'slsa/v1',
    read: (claim) => readProvenance(claim, control, context),
    same: ({ value }) => value.builder,
  });
  return { evidence: counted.map(evidenceOf), denials, unused, limits };
}

function readProvenance(claim: Claim, { builders, sources }: Control, { image }: Context): Build {
  if (image === null) return deny('EVIDENCE_UNBOUND', 'the release names no image');
  boundTo(claim, image.digest);
  const read = readBuild(claim.body);
  const builder = builders.find(({ id }) => id === read.builder);
  if (builder === undefined || !builder.signedBy.includes(claim.by)) {
    const expected = builders.map(({ id, signedBy }) => `${id} by ${signedBy.join(', ')}`).join('; ');
    deny('WRONG_BUILDER', 'the image was built by another builder, or another signer says so', {
      expected,
      actual: `${read.builder} by ${claim.by}`,
    });
  }
  const foreign = read.sources.filter(
    (uri) => /^(git\+|https?:|ssh:)/.test(uri) && !sources.includes(plain(uri)),
  );
  const known = read.sources.some((uri) => sources.includes(plain(uri)));
  if (!known) {
    deny('WRONG_BUILDER', 'the image was not built from a source that is listed', {
      expected: sources.join(', '),
      actual: foreign[0] ?? 'none',
    });
  }
  return read;
}

/** `git+https://host/repository@refs/heads/main` without the revision. */
const plain = (uri: string): string => uri.replace(/^([a-z+]+:\/\/[^/]*\/[^@]*)@.*$/, '$1');
