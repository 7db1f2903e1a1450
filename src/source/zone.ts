// Zones: which sources a class of models may come from, and how sure one has to be of them. The hosts that a zone may talk to are
// those of its sources and those that it names; an environment that points the Hub or S3 elsewhere changes nothing about that.
import { matchesGlob } from '../document/text/glob.ts';
import { SteelyardError } from '../rules/error.ts';
import { matchesHost } from './http/redirect.ts';
import type { SourceOptions } from './store.ts';
import { parseSourceUri, type SourceUri } from './uri.ts';

export interface Zone {
  readonly name: string;
  /** Globs of places: `hf://acme/*`, `oci://registry.acme/prod/**`. */
  readonly allow: readonly string[];
  /** Hosts, besides those of the sources: where weights are redirected to, mirrors, token services. */
  readonly redirects: readonly string[];
  /** immutable: the URI names a commit, a version or a digest; resolved: whatever it means now. */
  readonly pin: 'immutable' | 'resolved';
  /** Who has to say what the files are: somebody besides the store, the store at least, or nobody. */
  readonly digest: 'declared' | 'source' | 'none';
  /** required: an MBOM whose signature verifies. */
  readonly signature: 'required' | 'none';
}

/** A source without what says which version of it: what patterns are about. */
function placeOf(uri: SourceUri): string {
  switch (uri.scheme) {
    case 'hf':
      return `hf://${uri.repo}`;
    case 's3':
    case 'gs':
      return `${uri.scheme}://${uri.bucket}/${uri.key}`;
    case 'oci':
    case 'ollama':
      return `${uri.scheme}://${uri.host}/${uri.repository}`;
    case 'https':
      return `https://${uri.url.host}${uri.url.pathname}`;
    case 'cache':
      return `cache://${uri.store}/${uri.name}`;
  }
}

/** Throws SOURCE_NOT_ALLOWED, SOURCE_UNPINNED; USAGE for what is no source. Before anything is asked of the source. */
export function assertAllowed(text: string, zone: Zone, { endpoint, env }: SourceOptions): void {
  const uri = parseSourceUri(text);
  const place = placeOf(uri);
  // In https:// the colon of a port is part of the host, and a slash at the end is no segment.
  if (!zone.allow.some((pattern) => matchesGlob(pattern, place)))
    throw new SteelyardError('SOURCE_NOT_ALLOWED', `the zone ${zone.name} does not allow ${place}`);
  const host = elsewhere(uri, endpoint, env);
  if (host !== null && !zone.redirects.some((pattern) => matchesHost(pattern, host)))
    throw new SteelyardError(
      'SOURCE_NOT_ALLOWED',
      `${place} is asked of ${host} here, which the zone ${zone.name} does not name; add it to redirects if it is right`,
    );
  if (zone.pin === 'immutable' && !isImmutable(uri))
    throw new SteelyardError(
      'SOURCE_UNPINNED',
      `the zone ${zone.name} wants a commit, a version or a digest in the source, and ${place} names none; see steelyard lock`,
    );
}

function isImmutable(uri: SourceUri): boolean {
  if (uri.scheme === 'hf') return /^[0-9a-f]{40}$/.test(uri.revision);
  if (uri.scheme === 's3' || uri.scheme === 'gs') return uri.versionId !== null;
  return (uri.scheme === 'oci' || uri.scheme === 'ollama') && uri.digest !== null;
}

/** The host that stands in for a store's own; null: none does. */
function elsewhere(uri: SourceUri, endpoint: string | undefined, env: SourceOptions['env']): string | null {
  const texts: Partial<Record<SourceUri['scheme'], string | undefined>> = {
    hf: env.HF_ENDPOINT,
    s3: env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL,
  };
  const text = ['hf', 's3', 'gs'].includes(uri.scheme) ? endpoint || texts[uri.scheme] : undefined;
  if (!text || !URL.canParse(text)) return null;
  const { hostname } = new URL(text);
  return uri.scheme === 'hf' && hostname === 'huggingface.co' ? null : hostname;
}
