// The documents of this program as JSON Schema (2020-12), made from the same schemas that check them.
import { z } from 'zod';
import { PolicySchema } from '../baseline/policy/document/policy-schema.ts';
import { FingerprintSchema } from '../canary/schemas.ts';
import { DiffSchema } from '../diff/report/diff-schema.ts';
import { ProfileSchema } from '../scan/profile/document/profile-schema.ts';
import { DriftSchema } from '../serving/drift/record.ts';
import { ServingSchema } from '../serving/lint/serving-schema.ts';
import { ProvenanceSchema } from '../serving/provenance/provenance-document.ts';
import { ReportSchema } from './report-schema.ts';

export const DOCUMENTS = [
  'report',
  'profile',
  'policy',
  'diff',
  'serving',
  'fingerprint',
  'provenance',
  'drift',
] as const;
export type DocumentName = (typeof DOCUMENTS)[number];

const SCHEMAS = {
  report: ReportSchema,
  profile: ProfileSchema,
  policy: PolicySchema,
  diff: DiffSchema,
  serving: ServingSchema,
  fingerprint: FingerprintSchema,
  provenance: ProvenanceSchema,
  drift: DriftSchema,
} as const;

/** The JSON Schema of `steelyard/NAME/1`. */
export const jsonSchema = (name: DocumentName): object => ({
  title: `steelyard/${name}/1`,
  ...z.toJSONSchema(SCHEMAS[name], { io: 'input', target: 'draft-2020-12' }),
});
