// Package URLs, as bills of materials name packages: https://github.com/package-url/purl-spec. Only what a comparison needs.

export const ECOSYSTEMS = ['pypi', 'deb', 'apk', 'npm'] as const;
export type Ecosystem = (typeof ECOSYSTEMS)[number];

export interface Package {
  readonly ecosystem: Ecosystem;
  /** As the ecosystem compares names. */
  readonly name: string;
  readonly version: string;
}

/** null: not a package URL with a version, or of an ecosystem that is not compared here. */
export function packageOf(url: string): Package | null {
  const [, type, path, version, qualifiers = ''] =
    /^pkg:\/{0,2}([a-zA-Z]+)\/([^?#]+?)@([^@?#/]+)(?:\?([^#]*))?(?:#.*)?$/.exec(url) ?? [];
  const ecosystem = ECOSYSTEMS.find((one) => one === type?.toLowerCase());
  if (ecosystem === undefined) return null;
  const names = path!.split('/').map(decoded);
  const text = decoded(version!);
  if (text === null || names.includes(null)) return null;
  // Debian's SBOMs name the sources of each package too; they are installed nowhere.
  const asked = new URLSearchParams(qualifiers);
  if (ecosystem === 'deb' && asked.get('arch') === 'source') return null;
  // An epoch stands in the version, or beside it: two writers, one package.
  const epoch = asked.get('epoch');
  const full = epoch === null || epoch === '0' || text.includes(':') ? text : `${epoch}:${text}`;
  // The distribution is the namespace of deb and apk; the installed side does not name it. That of npm is the scope.
  const name = ecosystem === 'npm' ? names.join('/') : names.at(-1)!;
  return { ecosystem, name: nameIn(ecosystem, name), version: full };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** PEP 503: names of Python packages that differ in case or in the kind of their separators are one. */
export const nameIn = (ecosystem: Ecosystem, name: string): string =>
  ecosystem === 'pypi' ? name.toLowerCase().replace(/[-_.]+/g, '-') : name;

/** Without its version, as the list of allowed changes names it. */
export const urlOf = ({ ecosystem, name }: Omit<Package, 'version'>): string => `pkg:${ecosystem}/${name}`;
