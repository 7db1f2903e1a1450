// What a policy's zone asks of a pull, besides the place: who has said what the files are, and who has signed that.
import type { Policy } from '../../baseline/policy/policy.ts';
import { SteelyardError } from '../../rules/error.ts';
import type { SourceFile, Zone } from '../../source/source.ts';
import type { Expectation } from './expectation.ts';

/** The zone of that name; the only one where none is named; null: the policy has none. Throws USAGE. */
export function zoneOf(policy: Policy | undefined, name: string | undefined): Zone | null {
  const zones = policy?.sources ?? new Map<string, Zone>();
  if (name !== undefined) {
    const zone = zones.get(name);
    if (zone !== undefined) return zone;
    throw new SteelyardError(
      'USAGE',
      `there is no zone ${JSON.stringify(name)}: the policy has ${listOf(zones)}`,
    );
  }
  const [only, ...more] = zones.values();
  if (more.length > 0)
    throw new SteelyardError('USAGE', `say which zone with --zone: the policy has ${listOf(zones)}`);
  return only ?? null;
}

const listOf = (zones: ReadonlyMap<string, Zone>): string => [...zones.keys()].join(', ') || 'none';

/** Throws SOURCE_UNPINNED. */
export function assertDeclared(
  zone: Zone,
  files: readonly SourceFile[],
  expected: ReadonlyMap<string, readonly Expectation[]>,
  isSigned: boolean,
): void {
  if (zone.signature === 'required' && !isSigned)
    throw new SteelyardError(
      'SOURCE_UNPINNED',
      `the zone ${zone.name} wants a signed MBOM of the model; give it with --bom`,
    );
  if (zone.digest === 'none') return;
  const isSaid = ({ path }: SourceFile): boolean =>
    expected.get(path)!.some(({ by }) => zone.digest === 'source' || by !== 'source');
  const silent = files.find((file) => !isSaid(file));
  if (silent === undefined) return;
  const who = zone.digest === 'declared' ? 'a lock, an MBOM or --sha256' : 'somebody';
  throw new SteelyardError(
    'SOURCE_UNPINNED',
    `the zone ${zone.name} wants ${who} to say what the file has to be`,
    {
      file: silent.path,
    },
  );
}
