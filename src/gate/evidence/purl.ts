// Package URLs, compared part by part: the same package is written with more qualifiers by one tool than by another.
// github.com/package-url/purl-spec: type, namespace and name, version, qualifiers, subpath.

export interface Purl {
  readonly type: string;
  /** Namespace and name, with slashes between. */
  readonly name: string;
  readonly version: string | null;
  readonly qualifiers: ReadonlyMap<string, string>;
}

/** Types whose names are the same in any case, and those of PyPI also with - for _. */
const CASELESS = new Set([
  'pypi',
  'github',
  'bitbucket',
  'deb',
  'rpm',
  'apk',
  'npm',
  'composer',
  'oci',
  'golang',
]);

/** null: not a package URL. */
export function readPurl(text: string): Purl | null {
  const [, type, rest] = /^pkg:\/{0,2}([A-Za-z][A-Za-z0-9.+-]*)\/(.+)$/s.exec(text) ?? [];
  if (type === undefined || rest === undefined || text.length > MAX) return null;
  const [beforeSubpath] = rest.split('#', 1) as [string];
  const [path, query = ''] = cut(beforeSubpath, '?');
  // The version begins at the last @: a scope of npm begins with one.
  const at = path.lastIndexOf('@');
  const versioned = at > 0 && path[at - 1] !== '/';
  const name = decoded(versioned ? path.slice(0, at) : path);
  const version = versioned ? decoded(path.slice(at + 1)) : null;
  if (name === null || (versioned && version === null)) return null;
  const kind = type.toLowerCase();
  return {
    type: kind,
    name: sameName(kind, name),
    version: version || null,
    qualifiers: qualifiersOf(query),
  };
}

const MAX = 4096;

function sameName(type: string, name: string): string {
  const plain = name.replace(/\/+$/, '');
  if (!CASELESS.has(type)) return plain;
  return type === 'pypi' ? plain.toLowerCase().replaceAll(/[-_.]+/g, '-') : plain.toLowerCase();
}

function cut(text: string, mark: string): [string, string?] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function qualifiersOf(query: string): ReadonlyMap<string, string> {
  const pairs = query.split('&').map((pair) => cut(pair, '='));
  return new Map(
    pairs.flatMap(([key, value]) => (value ? [[key.toLowerCase(), decoded(value) ?? value]] : [])),
  );
}

/** Whether `actual` is a package that `wanted` speaks of: any version and qualifier that `wanted` leaves out. */
export function matches(wanted: Purl, actual: Purl): boolean {
  if (wanted.type !== actual.type || wanted.name !== actual.name) return false;
  if (wanted.version !== null && wanted.version !== actual.version) return false;
  return [...wanted.qualifiers].every(([key, value]) => actual.qualifiers.get(key) === value);
}

/** The digest in `pkg:oci/name@sha256:…`; null: another kind of package, or one that is not pinned. */
export function imageDigestOf(purl: string): string | null {
  const read = readPurl(purl);
  return read?.type === 'oci' && /^sha256:[0-9a-f]{64}$/.test(read.version ?? '') ? read.version : null;
}
