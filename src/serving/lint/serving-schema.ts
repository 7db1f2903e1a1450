// The source of the JSON Schema of `steelyard/serving/1`.
import { z } from 'zod';
import { SEVERITIES } from '../../rules/rules.ts';

const Count = z.int().min(0);
const Line = z.int().min(1);
const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const Severity = z.enum(SEVERITIES);

const Finding = z
  .strictObject({
    // Not a list: a release that knows one rule more must not break whoever validates reports.
    rule: z.string().regex(/^[a-z0-9-]+\/[a-z0-9-]+$/),
    severity: Severity,
    file: z.string(),
    line: Line,
    column: Line,
    object: z.string().optional().describe('kind and name: Deployment/chat'),
    container: z.string().optional(),
    message: z.string(),
    expected: z.string().optional(),
    actual: z.string().optional(),
    subject: Digest.describe('what a waiver names'),
    waived: z.strictObject({ reason: z.string(), owner: z.string(), expires: z.iso.date() }).optional(),
  })
  .meta({ id: 'ServingFinding' });

const File = z
  .strictObject({
    file: z.string(),
    sha256: Digest,
    size: Count,
    format: z.enum(['kubernetes', 'compose', 'dockerfile', 'oci']).nullable(),
    workloads: z.array(
      z.strictObject({
        object: z.string(),
        line: Line,
        containers: z.array(
          z.strictObject({
            name: z.string(),
            image: z.string().nullable(),
            serves: z.string().nullable().describe('the inference engine it is known to run'),
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'ServingFile' });

export const ServingSchema = z.strictObject({
  schema: z.literal('steelyard/serving/1'),
  tool: z.strictObject({ name: z.literal('steelyard'), version: z.string() }),
  release: z
    .strictObject({
      id: Digest.describe("SHA-256 of the MBOM's bytes"),
      model: Digest,
      image: z.string().nullable(),
    })
    .nullable(),
  verdict: z.strictObject({
    outcome: z.enum(['pass', 'fail', 'error']),
    failOn: z.enum(['none', ...SEVERITIES]),
    counts: z.strictObject({ info: Count, low: Count, medium: Count, high: Count, critical: Count }),
  }),
  files: z.array(File),
  findings: z.array(Finding),
  errors: z.array(
    z.strictObject({
      code: z.string(),
      file: z.string(),
      line: Line.optional(),
      column: Line.optional(),
      message: z.string(),
    }),
  ),
});
