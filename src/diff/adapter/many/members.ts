// Adapters of a population, each as what is compared of it: read and taken apart one after the other, and not kept.
import { quoted } from '../../../document/violations.ts';
import type { SideModel } from '../../side.ts';
import type { ModulePool, Modules } from '../adapter-pool.ts';
import type { ModuleSpectrum } from '../adapter-report.ts';
import { type LoadedAdapter, loadAdapter } from '../factors.ts';
import { featuresOf } from '../features.ts';
import type { Member } from '../population.ts';

/** A known-good adapter, or a suspect. */
export interface Known {
  /** Of its folder or file. */
  readonly name: string;
  readonly side: SideModel;
}

export type Spectra = ReadonlyMap<string, ModuleSpectrum | null>;

export class Members {
  readonly #pool: ModulePool;
  /** Digests of the weights that count already, and whose they are. */
  readonly #seen = new Map<string | undefined, string>();

  constructor(pool: ModulePool, seen: readonly (string | undefined)[] = []) {
    this.#pool = pool;
    for (const digest of seen) this.#seen.set(digest, 'the good one');
  }

  /** Without copies of what counts already. */
  async of(adapters: readonly Known[]): Promise<Member[]> {
    const members: Member[] = [];
    for (const known of adapters) {
      const member = await this.add(known);
      if (!('copyOf' in member)) members.push(member);
    }
    return members;
  }

  /** Counts it, unless its weights are there already. */
  async add(known: Known): Promise<Member | { readonly copyOf: string }> {
    const adapter = known.side.errors.length > 0 ? null : loadAdapter(known.side);
    const owner = adapter === null ? undefined : this.#seen.get(digestOf(adapter));
    if (owner !== undefined) return { copyOf: owner };
    if (adapter !== null) this.#seen.set(digestOf(adapter), quoted(known.name));
    return this.#taken(known.name, adapter);
  }

  /** A suspect: whose copy it is, or what is compared of it. */
  async suspect({ name, side }: Known): Promise<Member | { readonly copyOf: string }> {
    const adapter = side.errors.length > 0 ? null : loadAdapter(side);
    const owner = adapter === null ? undefined : this.#seen.get(digestOf(adapter));
    return owner === undefined ? this.#taken(name, adapter) : { copyOf: owner };
  }

  async #taken(name: string, adapter: LoadedAdapter | null): Promise<Member> {
    if (adapter === null) return { name, features: 'it is no low-rank adapter that can be read' };
    const pairs = adapter.adapter.modules.map((module): Modules => [null, module]);
    const results = await this.#pool.decomposed(pairs, [adapter, adapter], true);
    return memberOf(
      name,
      adapter,
      new Map(pairs.map(([, module], i) => [module!.name, results[i]!.suspect])),
    );
  }
}

export const memberOf = (name: string, loaded: LoadedAdapter, spectra: Spectra): Member => ({
  name,
  features: featuresOf(
    loaded,
    loaded.adapter.modules.map((module) => spectra.get(module.name) ?? null),
  ),
});

export const digestOf = ({ side, adapter }: LoadedAdapter): string | undefined =>
  side.profile.files.find(({ path }) => path === adapter.path)?.sha256;
