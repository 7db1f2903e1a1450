// What formats have in common: levels, a problem as one line, stable fingerprints.
import { createHash } from 'node:crypto';
import { inert } from '../../document/text/inert.ts';
import type { Severity } from '../../rules/rules.ts';
import type { Problem } from '../neutral/neutral.ts';

/** GitHub knows three. */
export const LEVELS = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
  info: 'note',
} as const satisfies Record<Severity, string>;

/** A message says what is wrong in a sentence or two; more than this is an attempt to bury the rest. */
const MESSAGE = 600;

/** The message with its evidence, inert, on one line. */
export function told({ place, message, expected, actual, offset, waived }: Problem): string {
  const parts = [inert(message, MESSAGE)];
  if (place !== undefined) parts.push(`at ${inert(place)}`);
  if (offset !== undefined) parts.push(`byte ${offset}`);
  if (expected !== undefined) parts.push(`expected ${inert(expected)}`);
  if (actual !== undefined) parts.push(`actual ${inert(actual)}`);
  if (waived !== undefined) parts.push(`waived by ${inert(waived.owner)} until ${inert(waived.expires)}`);
  return parts.join('; ');
}

/** The same for the same problem of the same file, whatever else is in the report and whenever it is written: 32 hexadecimal digits. */
export const fingerprint = ({ rule, file, place = '', message }: Problem): string =>
  createHash('sha256')
    .update(JSON.stringify([rule, file, place, message]))
    .digest('hex')
    .slice(0, 32);

export function groupedBy<K, T>(all: readonly T[], key: (one: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const one of all) {
    const group = groups.get(key(one));
    if (group === undefined) groups.set(key(one), [one]);
    else group.push(one);
  }
  return groups;
}
