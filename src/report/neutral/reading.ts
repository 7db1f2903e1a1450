// Reads a verdict that one of our commands wrote as JSON: as strictly as every document of ours.
import type * as z from 'zod';
import { CanarySchema } from '../../canary/compare/canary-schema.ts';
import { diffSchema } from '../../diff/report/diff-schema.ts';
import { readAny } from '../../document/own-json.ts';
import { VerdictSchema } from '../../gate/verdict/verdict-schema.ts';
import { SteelyardError } from '../../rules/error.ts';
import { DriftSchema } from '../../serving/drift/record.ts';
import { ServingSchema } from '../../serving/lint/serving-schema.ts';
import { reportSchema } from '../report-schema.ts';
import type { VerdictDocument } from './documents.ts';

const SCHEMAS: ReadonlyMap<unknown, () => z.ZodType> = new Map<unknown, () => z.ZodType>([
  ['steelyard/report/1', reportSchema],
  ['steelyard/serving/1', () => ServingSchema],
  ['steelyard/verdict/1', () => VerdictSchema],
  ['steelyard/canary/1', () => CanarySchema],
  ['steelyard/drift/1', () => DriftSchema],
  ['steelyard/diff/1', diffSchema],
]);

/**
 * @param name what messages call it, such as its path.
 * @throws SteelyardError INVALID_DOCUMENT or LIMIT; USAGE if it is none of the verdicts.
 */
export function readVerdict(bytes: Uint8Array, name: string): VerdictDocument {
  return readAny(bytes, schemaOf, name) as VerdictDocument;

  function schemaOf(kind: unknown): z.ZodType {
    const schema = SCHEMAS.get(kind);
    if (schema !== undefined) return schema();
    const known = [...SCHEMAS.keys()].join(', ');
    throw new SteelyardError('USAGE', `${name} is no verdict: its field schema must be one of ${known}`);
  }
}
