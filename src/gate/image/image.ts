// The image that runs the release, as far as its digest proves it: the bytes of index, manifests and configurations lie among the
// evidence, and each must hash to the digest that the one above it names. Nothing is asked of a registry.
import type { Foreign } from '../claim/foreign.ts';
import type { ImagePiece, Piece } from '../claim/piece.ts';
import { deny, settled } from '../verdict/denial.ts';

export interface Platform {
  /** `linux/amd64`, with the variant if there is one. */
  readonly name: string;
  readonly manifest: string;
  /** null: the manifest's bytes are not here. */
  readonly config: string | null;
  readonly layers: readonly string[];
}

export interface ImageFacts {
  /** As the MBOM pins it. */
  readonly reference: string;
  /** Without tag and digest. */
  readonly repository: string;
  readonly digest: string;
  /** Empty: the bytes of the pinned manifest or index are not among the evidence. */
  readonly platforms: readonly Platform[];
}

/** @param reference `name@sha256:…`, as an MBOM has it. Refuses with MALFORMED_EVIDENCE. */
export function imageFacts(reference: string, pieces: readonly Piece[]): ImageFacts {
  const [name, digest] = reference.split('@') as [string, string];
  const known = new Map(
    pieces
      .filter((piece): piece is ImagePiece => piece.form === 'image')
      .map((piece) => [piece.source.digest, piece]),
  );
  const pinned = known.get(digest);
  return {
    reference,
    repository: name.replace(/:[^/:]*$/, ''),
    digest,
    platforms: pinned === undefined ? [] : platformsOf(digest, pinned.document, known),
  };
}

type Known = ReadonlyMap<string, ImagePiece>;

function platformsOf(digest: string, document: Foreign, known: Known): Platform[] {
  const manifests = document.get('manifests');
  if (manifests.absent) return [ofManifest(digest, document, known)];
  return manifests.list().flatMap((one) => {
    const platform = one.get('platform');
    if (platform.absent) return [];
    const name = platformName(platform);
    // BuildKit keeps its attestations beside the platforms, under this one.
    if (name === 'unknown/unknown') return [];
    const manifest = one.get('digest').digest();
    const there = known.get(manifest);
    return [{ name, manifest, ...partsOf(there?.document) }];
  });
}

function ofManifest(digest: string, document: Foreign, known: Known): Platform {
  const parts = partsOf(document);
  const config = parts.config === null ? undefined : known.get(parts.config);
  return { name: config === undefined ? '' : platformName(config.document), manifest: digest, ...parts };
}

function partsOf(document: Foreign | undefined): Pick<Platform, 'config' | 'layers'> {
  if (document === undefined || document.get('config').absent) return { config: null, layers: [] };
  const layers = document.get('layers').maybeList();
  return {
    config: document.get('config').get('digest').digest(),
    layers: layers.map((layer) => layer.get('digest').digest()),
  };
}

function platformName(platform: Foreign): string {
  const variant = platform.get('variant').maybeText() ?? '';
  // linux/arm64/v8 is linux/arm64 (OCI image specification, platform variants).
  const more = variant === '' || variant === 'v8' ? '' : `/${variant}`;
  return `${platform.get('os').text()}/${platform.get('architecture').text()}${more}`;
}

/** Whether a name lies in one of `allowed`: the same, or below it. `acme/` does not allow `acme-evil/x`. */
export const isAllowed = (repository: string, allowed: readonly string[]): boolean =>
  allowed.some((one) => {
    const folder = one.endsWith('/') ? one : `${one}/`;
    return repository === one || repository.startsWith(folder);
  });

/** Which platform of the image has this configuration; undefined: none of it, null: not known here. */
export function platformOfConfig(
  { platforms }: ImageFacts,
  config: string,
  pieces: readonly Piece[],
): Platform | null | undefined {
  const found = platforms.find((platform) => platform.config === config);
  if (found !== undefined) return found;
  if (platforms.length > 0 && platforms.every((platform) => platform.config !== null)) return undefined;
  // Another image's manifest that names this configuration shows whose it is.
  return pieces.some((piece) => piece.form === 'image' && configOf(piece.document) === config)
    ? undefined
    : null;
}

const configOf = (document: Foreign): string | null => settled(() => partsOf(document).config).value ?? null;

/** Platforms that are promoted and that the image does not show. */
export function requirePlatforms({ platforms }: ImageFacts, wanted: readonly string[]): void {
  if (platforms.length === 0 || platforms.some(({ name }) => name === '')) {
    deny(
      'MISSING_PLATFORM',
      'the manifest and the configuration of the image are not among the evidence; ' +
        'fetch them with steelyard evidence image',
      { expected: wanted.join(', ') },
    );
  }
  const missing = wanted.filter((one) => !platforms.some(({ name }) => name === one));
  if (missing.length === 0) return;
  deny('MISSING_PLATFORM', 'the image has nothing for a platform that is promoted', {
    expected: missing.join(', '),
    actual: platforms.map(({ name }) => name).join(', '),
  });
}
