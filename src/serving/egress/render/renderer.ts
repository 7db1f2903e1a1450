// What all targets share: what they are told, what they give back, and YAML that says nothing else than was meant.
import type { Destination, NameDestination, RangeDestination } from '../destination.ts';

export interface RenderOptions {
  /** Of the objects that are made. */
  readonly name: string;
  readonly namespace: string | null;
  /** Labels of the pods that serve. */
  readonly selector: ReadonlyMap<string, string>;
  /** Labels and port of the proxy's pods. */
  readonly proxy: { readonly selector: ReadonlyMap<string, string>; readonly port: number };
  /** Where a proxy listens: `127.0.0.1:3128`. */
  readonly listen: string;
}

export interface Rendered {
  readonly text: string;
  /** What the declaration says and this target cannot enforce. */
  readonly weaker: readonly string[];
}

export type Renderer = (allow: readonly Destination[], options: RenderOptions) => Rendered;

export const namesIn = (allow: readonly Destination[]): NameDestination[] =>
  allow.filter((one): one is NameDestination => one.kind === 'name');

export const rangesIn = (allow: readonly Destination[]): RangeDestination[] =>
  allow.filter((one): one is RangeDestination => one.kind === 'range');

export const isWildcard = ({ host }: NameDestination): boolean => host.startsWith('*.');

/** The paths that a target does not see. */
export const unseenPaths = (allow: readonly Destination[]): string[] =>
  namesIn(allow)
    .filter(({ path }) => path !== null)
    .map(
      ({ scheme, host, path }) => `the path of ${scheme}://${host}${path}: every path of the host is allowed`,
    );

/** Deeper names than were meant. */
export const deeperNames = (allow: readonly Destination[]): string[] =>
  namesIn(allow)
    .filter(isWildcard)
    .map(({ host }) => `${host} stands for one label: names with more labels are allowed, too`);

/** A map of labels in one line. */
export const labels = (selector: ReadonlyMap<string, string>): string =>
  `{${[...selector].map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`).join(', ')}}`;

export const metadata = ({ name, namespace }: RenderOptions, suffix = ''): string[] => [
  'metadata:',
  `  name: ${JSON.stringify(name + suffix)}`,
  ...(namespace === null ? [] : [`  namespace: ${JSON.stringify(namespace)}`]),
];

/** Entries by port, in the order of the declaration. */
export function byPort(names: readonly NameDestination[]): Map<number, NameDestination[]> {
  const groups = new Map<number, NameDestination[]>();
  for (const one of names) {
    const group = groups.get(one.port);
    if (group === undefined) groups.set(one.port, [one]);
    else group.push(one);
  }
  return groups;
}
