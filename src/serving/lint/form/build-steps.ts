// What a Dockerfile does while it builds: the images it takes from, the scripts it runs, the addresses it adds.
import type { Fact } from '../../yaml/place.ts';

export interface Build {
  /** Images from elsewhere: FROM and COPY --from, stages of its own left out. */
  readonly images: readonly Fact<string>[];
  /** Scripts of RUN. */
  readonly scripts: readonly Fact<string>[];
  /** ADD of an address. */
  readonly added: readonly (Fact<string> & { readonly checked: boolean })[];
  /** ENV and ARG with a value. */
  readonly values: readonly (Fact<string> & { readonly name: string })[];
}

export const NO_BUILD: Build = { images: [], scripts: [], added: [], values: [] };
