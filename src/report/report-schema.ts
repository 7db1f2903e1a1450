// The source of the report's JSON Schema. Reports are written, not read: nothing of ours parses one with this.
import { UNEXAMINED } from '../baseline/policy/unexamined.ts';
import { zod } from '../document/zod.ts';
import { SEVERITIES } from '../rules/rules.ts';
import { KINDS, STATES } from '../scan/identify/kind.ts';
import { profileSchemas } from '../scan/profile/document/profile-schema.ts';

/** Made when the schema is asked for. */
export const reportSchema = () => {
  const z = zod();
  const { FileEntry, TensorEntry } = profileSchemas();
  const Count = z.int().min(0);
  const Severity = z.enum(SEVERITIES);

  const Finding = z
    .strictObject({
      // Not a list: a release that knows one rule more must not break whoever validates reports.
      rule: z.string().regex(/^[a-z0-9-]+\/[a-z0-9-]+$/),
      severity: Severity,
      file: z.string(),
      tensor: z.string().optional(),
      offset: Count.optional(),
      message: z.string(),
      expected: z.string().optional(),
      actual: z.string().optional(),
      waived: z.strictObject({ reason: z.string(), owner: z.string(), expires: z.iso.date() }).optional(),
    })
    .meta({ id: 'Finding' });

  /** Reports of earlier releases have neither. */
  const ReportedFile = FileEntry.extend({
    kind: z.enum(KINDS).optional(),
    state: z.enum(STATES).optional(),
  }).meta({ id: 'ReportedFile' });

  const Failure = z
    .strictObject({
      code: z.string(),
      file: z.string(),
      offset: Count.optional(),
      errno: z.string().optional(),
      message: z.string(),
    })
    .meta({ id: 'Failure' });

  return z.strictObject({
    schema: z.literal('steelyard/report/1'),
    tool: z.strictObject({ name: z.literal('steelyard'), version: z.string() }),
    complete: z.boolean(),
    verdict: z.strictObject({
      outcome: z.enum(['pass', 'fail', 'error']),
      failOn: z.enum(['none', ...SEVERITIES]),
      counts: z.strictObject({ info: Count, low: Count, medium: Count, high: Count, critical: Count }),
      unexamined: z.enum(UNEXAMINED).optional(),
    }),
    leftOut: z
      .array(z.strictObject({ pattern: z.string(), files: Count, paths: z.array(z.string()).optional() }))
      .optional(),
    files: z.array(ReportedFile),
    tensors: z.array(TensorEntry),
    findings: z.array(Finding),
    errors: z.array(Failure),
    loaders: z
      .array(
        z.strictObject({
          loader: z.string(),
          request: z.enum(['any', 'plain', 'tools']),
          of: z.string(),
          used: z.strictObject({ file: z.string(), template: z.string(), digest: z.string() }).nullable(),
          rule: z.string(),
        }),
      )
      .optional(),
    timing: z
      .strictObject({
        seconds: z.number(),
        bytesPerSecond: z.number(),
        threads: Count,
        kernel: z.string(),
        files: z.array(z.strictObject({ path: z.string(), seconds: z.number() })),
      })
      .optional(),
  });
};
