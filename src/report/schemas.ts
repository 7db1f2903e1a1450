// The documents of this program as JSON Schema (2020-12). Tests write the files from the schemas that check the documents, and
// hold them to each other; so whoever asks for a schema loads none of the rooms that the documents belong to.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../runtime/package.ts';

export const DOCUMENTS = [
  'report',
  'profile',
  'policy',
  'mbom',
  'trust',
  'diff',
  'population',
  'pull',
  'lock',
  'gate',
  'verdict',
  'found',
  'serving',
  'egress',
  'fingerprint',
  'canary-suite',
  'canary-run',
  'canary-sweep',
  'canary',
  'provenance',
  'drift',
] as const;
export type DocumentName = (typeof DOCUMENTS)[number];

/** The JSON Schema of a document, such as `steelyard/report/1`. */
export const jsonSchema = (name: DocumentName): object =>
  JSON.parse(readFileSync(join(PACKAGE_ROOT, 'docs', 'schemas', `${name}-1.json`), 'utf8'));
