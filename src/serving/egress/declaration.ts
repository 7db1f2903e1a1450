// Text → declaration of egress, or INVALID_EGRESS with line and column. A declaration that is misread lets data out, so nothing in
// it is skipped, and what stands there twice is asked about.
import type { z } from 'zod';
import { quoted } from '../../document/violations.ts';
import { readYaml, type Yaml } from '../../document/yaml.ts';
import { SteelyardError } from '../../rules/error.ts';
import {
  covers,
  type Destination,
  type NameDestination,
  nameDestination,
  rangeDestination,
  Unclear,
} from './destination.ts';
import { BareEgressSchema, EgressSchema } from './egress-schema.ts';

/** What a server may connect to. Everything else is denied. */
export interface Egress {
  readonly allow: readonly Destination[];
}

const SIZE = 16 * 2 ** 20;

type Entry = z.infer<typeof EgressSchema>['allow'][number];

/**
 * Reads `steelyard/egress/1`, or a bare `egress:` block.
 *
 * @param name What messages call it, such as the path of its file.
 * @throws SteelyardError INVALID_EGRESS: `egress.yaml:3:7: …`; LIMIT.
 */
export function parseEgress(text: string, name = 'egress'): Egress {
  if (Buffer.byteLength(text) > SIZE)
    throw new SteelyardError('LIMIT', `${name} is larger than ${SIZE} bytes`);
  const failure = (place: string | null, reason: string, cause?: unknown): SteelyardError =>
    new SteelyardError('INVALID_EGRESS', `${place === null ? name : `${name}:${place}`}: ${reason}`, {
      cause,
    });
  const yaml = readYaml(text, { size: SIZE, scalars: 'typed', failure });
  const bare = isBare(yaml.data);
  const parsed = bare ? BareEgressSchema.safeParse(yaml.data) : EgressSchema.safeParse(yaml.data);
  if (!parsed.success) throw invalid(parsed.error.issues[0]!, yaml, failure);
  const { allow } = 'egress' in parsed.data ? parsed.data.egress : parsed.data;
  const path = bare ? ['egress', 'allow'] : ['allow'];
  const destinations = allow.map((entry, i) => {
    try {
      return destinationOf(entry);
    } catch (error) {
      if (!(error instanceof Unclear)) throw error;
      throw failure(yaml.placeOf([...path, i]), `${quoted(labelOf(entry))}: ${error.message}`);
    }
  });
  assertDistinct(destinations, (i, reason) => failure(yaml.placeOf([...path, i]), reason));
  return { allow: destinations };
}

const isBare = (data: unknown): boolean =>
  typeof data === 'object' && data !== null && 'egress' in data && !('schema' in data);

const labelOf = (entry: Entry): string =>
  typeof entry === 'string' ? entry : 'url' in entry ? entry.url : entry.cidr;

function destinationOf(entry: Entry): Destination {
  if (typeof entry === 'string') return nameDestination(entry, false);
  if ('url' in entry) return nameDestination(entry.url, true);
  return rangeDestination(entry.cidr, entry.ports);
}

type Fail = (place: string | null, reason: string) => SteelyardError;

function invalid(issue: z.core.$ZodIssue, yaml: Yaml, failure: Fail): SteelyardError {
  const where = issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `;
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    return failure(yaml.placeOf(issue.path, key), `${where}unknown field ${quoted(key)}`);
  }
  return failure(yaml.placeOf(issue.path), `${where}${issue.message}`);
}

/** Two entries for one host and port: one of them is a mistake, and nobody knows which. */
function assertDistinct(
  destinations: readonly Destination[],
  fail: (index: number, reason: string) => SteelyardError,
): void {
  const seen = new Map<string, NameDestination>();
  const ranges = new Set<string>();
  destinations.forEach((one, i) => {
    if (one.kind === 'range') {
      if (ranges.has(one.range)) throw fail(i, `the range ${one.range} is there twice`);
      ranges.add(one.range);
      return;
    }
    const key = `${one.host}:${one.port}`;
    const other = seen.get(key);
    if (other !== undefined)
      throw fail(
        i,
        other.scheme === one.scheme
          ? `${quoted(key)} is there twice`
          : `${quoted(key)} is allowed with TLS and without it: one of the two is wrong`,
      );
    seen.set(key, one);
  });
  destinations.forEach((one, i) => {
    if (one.kind === 'range' || one.host.startsWith('*.')) return;
    const parent = `*${one.host.slice(one.host.indexOf('.'))}:${one.port}`;
    if (one.host.includes('.') && seen.has(parent))
      throw fail(i, `${quoted(one.host)} is allowed by ${quoted(parent)} already`);
  });
}

/** The destination that allows a connection; undefined: it is denied. */
export const allowing = ({ allow }: Egress, host: string, port: number): NameDestination | undefined =>
  allow.find(
    (one): one is NameDestination => one.kind === 'name' && one.port === port && covers(one.host, host),
  );
