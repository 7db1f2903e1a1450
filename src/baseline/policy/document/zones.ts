// The zones of a policy: patterns that can match, and zones that take in others.

import { didYouMean } from '../../../document/text/suggestion.ts';
import { quoted } from '../../../document/violations.ts';
import type { Zone } from '../../../source/source.ts';

/** A pattern of places. Its scheme is no wildcard. */
const isPlacePattern = (text: string): boolean =>
  /^(?:hf|s3|gs|oci|ollama|https|cache):\/\/[^\s\\?#]+$/.test(text);

interface ZoneDocument {
  readonly allow: readonly string[];
  readonly redirects?: readonly string[] | undefined;
  readonly pin?: Zone['pin'] | undefined;
  readonly digest?: Zone['digest'] | undefined;
  readonly signature?: Zone['signature'] | undefined;
}

/** `fault`: makes the error at a place of the document. */
export function zonesOf(
  documents: Readonly<Record<string, ZoneDocument>>,
  fault: (path: readonly PropertyKey[], reason: string) => Error,
): Map<string, Zone> {
  const zones = new Map<string, Zone>();
  for (const [name, document] of Object.entries(documents)) {
    document.allow.forEach((one, i) => {
      if (isPlacePattern(one) || (Object.hasOwn(documents, one) && one !== name)) return;
      const hint = didYouMean(one, Object.keys(documents));
      throw fault(['sources', name, 'allow', i], `${quoted(one)} is no place and no other zone${hint}`);
    });
    const { redirects = [], pin = 'resolved', digest = 'source', signature = 'none' } = document;
    zones.set(name, { name, allow: allowed(name, documents, []), redirects, pin, digest, signature });
  }
  return zones;
}

/** Patterns of a zone and of those that it takes in; one that takes in itself adds nothing. */
function allowed(
  name: string,
  documents: Readonly<Record<string, ZoneDocument>>,
  trail: readonly string[],
): string[] {
  if (trail.includes(name)) return [];
  const { allow } = documents[name]!;
  return [
    ...new Set(
      allow.flatMap((one) => (isPlacePattern(one) ? [one] : allowed(one, documents, [...trail, name]))),
    ),
  ];
}
