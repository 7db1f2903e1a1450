// What a software bill of materials declares: CycloneDX (1.2 and newer) or SPDX (2.2, 2.3), both as JSON. Read as foreign text.
import { readForeignJson } from '../../document/own-json.ts';
import { SteelyardError } from '../../rules/error.ts';
import { type Package, packageOf } from './package-url.ts';

export interface Declared {
  readonly packages: readonly Package[];
  /** Entries that are no package of an ecosystem that is compared here. */
  readonly others: number;
}

/** More than any image has. */
const MOST = 200_000;

type Entry = Record<string, unknown>;

const record = (value: unknown): Entry =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Entry) : {};
const list = (value: unknown): Entry[] => (Array.isArray(value) ? value.map(record) : []);

/** @throws SteelyardError INVALID_DOCUMENT, LIMIT. */
export function readSbom(bytes: Uint8Array, name: string): Declared {
  const document = record(readForeignJson(bytes, name));
  const urls = document.bomFormat === 'CycloneDX' ? cycloneDx(document, name) : spdx(document, name);
  const packages = urls.map((url) => (url === null ? null : packageOf(url))).filter((one) => one !== null);
  return { packages, others: urls.length - packages.length };
}

/** Components may hold components; each is asked once, without recursion. */
function cycloneDx(document: Entry, name: string): (string | null)[] {
  const open = list(document.components);
  const urls: (string | null)[] = [];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    open.push(...list(one.components));
    urls.push(typeof one.purl === 'string' ? one.purl : null);
    if (urls.length > MOST) throw new SteelyardError('LIMIT', `${name} has more than ${MOST} components`);
  }
  return urls;
}

function spdx(document: Entry, name: string): (string | null)[] {
  if (typeof document.spdxVersion !== 'string' || !/^SPDX-2\.[23]$/.test(document.spdxVersion)) {
    throw new SteelyardError(
      'INVALID_DOCUMENT',
      `${name}:1:1: neither CycloneDX nor SPDX 2.2 or 2.3, as JSON`,
    );
  }
  const packages = list(document.packages);
  if (packages.length > MOST) throw new SteelyardError('LIMIT', `${name} has more than ${MOST} packages`);
  const subject = subjectOf(document);
  return packages.map(({ externalRefs, SPDXID }) => {
    if (subject !== null && SPDXID === subject) return null;
    const found = list(externalRefs).find(({ referenceType }) => referenceType === 'purl');
    return typeof found?.referenceLocator === 'string' ? found.referenceLocator : null;
  });
}

/** The one thing that an SPDX document is about, such as the project itself; it is not installed in itself. */
function subjectOf({ documentDescribes, relationships }: Entry): string | null {
  const described = new Set(Array.isArray(documentDescribes) ? documentDescribes : []);
  for (const { spdxElementId, relationshipType, relatedSpdxElement } of list(relationships)) {
    if (spdxElementId === 'SPDXRef-DOCUMENT' && relationshipType === 'DESCRIBES')
      described.add(relatedSpdxElement);
  }
  const [only, ...more] = described;
  return typeof only === 'string' && more.length === 0 ? only : null;
}
