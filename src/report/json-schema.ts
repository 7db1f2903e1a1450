// The documents of this program as JSON Schema (2020-12), made from the same schemas that check them.
import { z } from 'zod';
import { PolicySchema } from '../policy/document.ts';
import { ProfileSchema } from '../profile/schema.ts';
import { ReportSchema } from './schema.ts';

export const DOCUMENTS = ['report', 'profile', 'policy'] as const;
export type DocumentName = (typeof DOCUMENTS)[number];

const SCHEMAS = { report: ReportSchema, profile: ProfileSchema, policy: PolicySchema } as const;

/** The JSON Schema of `steelyard/report/1`, `steelyard/profile/1` or `steelyard/policy/1`. */
export const jsonSchema = (name: DocumentName): object => ({
  title: `steelyard/${name}/1`,
  ...z.toJSONSchema(SCHEMAS[name], { io: 'input', target: 'draft-2020-12' }),
});
