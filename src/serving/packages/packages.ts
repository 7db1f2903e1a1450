// Installed packages against a bill of materials. Only what both sides can name is compared, and what was not compared is said.
import type { PackageChange, PackagesRecord } from '../drift/drift.ts';
import { READERS } from './installed.ts';
import { ECOSYSTEMS, type Ecosystem, type Package, packageOf, urlOf } from './package-url.ts';
import { type Declared, readSbom } from './sbom.ts';

export { ECOSYSTEMS, type Ecosystem, READERS, readSbom };

interface Inventory {
  readonly ecosystem: Ecosystem;
  readonly packages: readonly Package[];
}

/** A change that somebody accepted: `pkg:pypi/pip`, up to and including a day. */
export interface Allowance {
  readonly package: string;
  readonly until: string;
}

type Comparison = Pick<PackagesRecord, 'compared' | 'notCompared' | 'changes' | 'exitCode'>;

/** @param today `YYYY-MM-DD`, in UTC. */
export function comparePackages(
  declared: Declared,
  inventories: readonly Inventory[],
  allowances: readonly Allowance[],
  today: string,
): Comparison {
  const names = inventories.map(({ ecosystem }) => ecosystem);
  const compared = inventories.map(({ ecosystem, packages }) => ({
    ecosystem,
    declared: declared.packages.filter((one) => one.ecosystem === ecosystem).length,
    found: packages.length,
  }));
  const changes = inventories.flatMap(({ ecosystem, packages }) =>
    changesOf(
      declared.packages.filter((one) => one.ecosystem === ecosystem),
      packages,
      (url) => allowedBy(allowances, url, today),
    ),
  );
  const drifted = changes.some(({ allowed }) => allowed === null);
  // An SBOM without a single package of a kind says nothing of that kind.
  const blind = compared.length === 0 || compared.some((one) => one.declared === 0);
  return {
    compared,
    notCompared: declared.packages.filter((one) => !names.includes(one.ecosystem)).length + declared.others,
    changes,
    exitCode: blind ? 2 : drifted ? 1 : 0,
  };
}

function changesOf(
  declared: readonly Package[],
  found: readonly Package[],
  allowedBy: (url: string) => string | null,
): PackageChange[] {
  const [before, after] = [versionsOf(declared), versionsOf(found)];
  const urls = [...new Set([...before.keys(), ...after.keys()])].sort();
  return urls.flatMap((url): PackageChange[] => {
    const [was, is] = [before.get(url) ?? [], after.get(url) ?? []];
    if (was.join('\n') === is.join('\n')) return [];
    const change = was.length === 0 ? 'added' : is.length === 0 ? 'removed' : 'changed';
    return [{ package: url, change, declared: was, found: is, allowed: allowedBy(url) }];
  });
}

function versionsOf(packages: readonly Package[]): Map<string, string[]> {
  const versions = new Map<string, Set<string>>();
  for (const one of packages) {
    const url = urlOf(one);
    versions.set(url, (versions.get(url) ?? new Set()).add(one.version));
  }
  return new Map([...versions].map(([url, set]) => [url, [...set].sort()]));
}

function allowedBy(allowances: readonly Allowance[], url: string, today: string): string | null {
  const found = allowances.find((one) => one.package === url && today <= one.until);
  return found === undefined ? null : `until ${found.until}`;
}

/** `pkg:pypi/pip`, in the spelling that is compared; null: not of an ecosystem that is. */
export function packageName(text: string): string | null {
  const found = packageOf(`${text}@0`);
  return found === null ? null : urlOf(found);
}
