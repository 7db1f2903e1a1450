// The control `sbom`: what is in the image, for each platform, and nothing that is forbidden.
import type { Claim } from '../claim/proven-claim.ts';
import type { Sbom } from '../evidence/evidence.ts';
import { matches, readPurl } from '../evidence/purl.ts';
import { readCycloneDx } from '../evidence/sbom/cyclonedx.ts';
import { readSpdx } from '../evidence/sbom/spdx.ts';
import type { Platform } from '../image/image.ts';
import { milliseconds } from '../release-policy/release-policy.ts';
import type { ControlOf } from '../release-policy/schema.ts';
import { type Denial, deny } from '../verdict/denial.ts';
import { type Context, type ControlResult, collect, evidenceOf } from './context.ts';
import { platformOf } from './image-binding.ts';

type Control = ControlOf<'sbom'>;

interface Read extends Sbom {
  readonly platform: Platform;
}

export interface SbomResult extends ControlResult {
  /** Package URLs of all SBOMs that count. */
  readonly packages: readonly string[];
}

export function sbom(control: Control, context: Context): SbomResult {
  const formats: readonly string[] = control.formats;
  const { counted, denials, unused, limits } = collect<Read>(context, {
    signedBy: control.signedBy,
    count: control.count,
    maxAge: control.maxAge === undefined ? null : milliseconds(control.maxAge),
    kinds: control.formats,
    wants: ({ kind }) => formats.includes(kind),
    read: (claim) => readSbom(claim, context),
    same: ({ claim }) => `${claim.by} ${claim.kind}`,
  });
  const packages = counted.flatMap(({ value }) => value.packages);
  return {
    evidence: counted.map(evidenceOf),
    denials: [...denials, ...missing(context, counted), ...forbidden(control, packages)],
    unused,
    limits,
    packages,
  };
}

function readSbom(claim: Claim, context: Context): Read {
  const read = claim.kind === 'cyclonedx' ? readCycloneDx(claim.body) : readSpdx(claim.body);
  const platform = platformOf(claim, read.names, context);
  if (read.count === 0) deny('EVIDENCE_EMPTY', 'it lists nothing besides the image itself');
  return { ...read, platform };
}

function missing({ policy }: Context, counted: readonly { readonly value: Read }[]): Denial[] {
  const { image } = policy.json;
  if (image === 'none' || counted.length === 0) return [];
  return image.platforms
    .filter((wanted) => !counted.some(({ value }) => value.platform.name === wanted))
    .map((wanted) => ({ code: 'MISSING_PLATFORM', message: `no SBOM is of ${wanted}` }));
}

function forbidden({ forbid }: Control, packages: readonly string[]): Denial[] {
  if (forbid.length === 0) return [];
  const seen = packages.flatMap((text) => readPurl(text) ?? []);
  return forbid.flatMap((text): Denial[] => {
    const wanted = readPurl(text);
    const found = wanted === null ? undefined : seen.find((one) => matches(wanted, one));
    if (found === undefined) return [];
    const actual = `pkg:${found.type}/${found.name}${found.version === null ? '' : `@${found.version}`}`;
    return [
      {
        code: 'FORBIDDEN_PACKAGE',
        message: 'the image holds a package that is forbidden',
        expected: text,
        actual,
      },
    ];
  });
}
