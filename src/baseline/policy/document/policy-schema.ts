// The policy as a document, `steelyard/policy/1`: the door for what people write, and the source of its JSON Schema.
import type * as Zod from 'zod';
import { once, zod } from '../../../document/zod.ts';
import { SEVERITIES } from '../../../rules/rules.ts';
import { UNEXAMINED } from '../unexamined.ts';

export const POLICY_SCHEMA = 'steelyard/policy/1';

/** Made when a policy is read. */
export const policySchemas = once(() => {
  const z = zod();
  const Count = z.int().min(0);
  const Name = z.string().regex(/^[A-Za-z_]\w*$/);
  const Dtype = z.string().min(1);
  const OneOrMore = <T extends Zod.ZodType>(item: T) => z.union([item, z.array(item).min(1)]);
  const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256: and 64 hexadecimal digits');
  const Day = z.iso.date('expected a day, such as 2027-01-31');
  const Value = z.union([z.string(), z.number(), z.boolean()]);
  const Pinned = z
    .union([z.strictObject({ digest: Digest }), z.strictObject({ value: z.string() })])
    .meta({ id: 'PinnedValue' });
  const Rule = z
    .string()
    .regex(/^[a-z0-9-]+\/[a-z0-9-]+$/, 'expected a rule, such as compare/tensor-changed');

  const TensorLine = z
    .strictObject({
      dtype: OneOrMore(Dtype).optional().describe('dtypes that the tensors may have'),
      shape: z
        .array(z.union([Count, z.string()]))
        .optional()
        .describe('outermost first: sizes, names (hidden), multiples (3*hidden), or * for any'),
      count: z
        .union([Count, z.tuple([Count, Count])])
        .optional()
        .describe('how many tensors, or from how many to how many; default: all that the pattern spans'),
      optional: z.boolean().optional().describe('true: none of them need be there'),
    })
    .meta({ id: 'TensorLine' });

  const Waiver = z
    .strictObject({
      rule: Rule,
      subject: Digest.describe(
        'of the file, or of the tensor where one is named; of lint, as its report has it',
      ),
      file: z.string().min(1).optional().describe('the path of the file, as the report has it'),
      tensor: z.string().min(1).optional().describe('a name or a pattern; needs dtype and shape'),
      dtype: Dtype.optional(),
      shape: z.array(Count).optional().describe('outermost first'),
      reason: z.string().min(1),
      owner: z.string().min(1),
      expires: Day.describe('the last day'),
    })
    .meta({ id: 'Waiver' });

  const ZoneSchema = z
    .strictObject({
      allow: z
        .array(z.string())
        .min(1)
        .describe('places (hf://acme/*, s3://bucket/prod/**), or names of other zones'),
      redirects: z
        .array(z.string())
        .optional()
        .describe('hosts that sources may send on to; *. for any below'),
      pin: z.enum(['immutable', 'resolved']).optional().describe('default: resolved'),
      digest: z
        .enum(['declared', 'source', 'none'])
        .optional()
        .describe('who has to say what files are; default: source'),
      signature: z.enum(['required', 'none']).optional().describe('of an MBOM; default: none'),
    })
    .meta({ id: 'Zone' });

  const PolicySchema = z.strictObject({
    schema: z.literal(POLICY_SCHEMA),
    name: z.string().optional(),
    failOn: z.enum(['none', ...SEVERITIES]).optional(),
    dtypes: z.array(Dtype).min(1).optional().describe('dtypes that any tensor may have'),
    dimensions: z.record(Name, Count).optional().describe('sizes that are known beforehand'),
    tensors: z
      .record(z.string(), TensorLine.nullable())
      .optional()
      .describe('name patterns: {0..31}, {0..last}, {q,k,v}, * for one segment, ** for any number'),
    unmatched: z
      .enum(['forbid', 'allow'])
      .optional()
      .describe('tensors that no line matches; default: forbid'),
    forbidden: z.array(z.string()).optional().describe('name patterns of tensors that must not be there'),
    metadata: z
      .record(z.string(), OneOrMore(z.union([Value, Pinned])))
      .optional()
      .describe(
        'allowed keys (* at the end: any rest) and their values (*: any), or digest: sha256:… of a long one',
      ),
    templates: z.array(Digest).optional().describe('digests of chat templates'),
    files: z.array(z.string().min(1)).optional().describe('paths: * within a segment, ** for any number'),
    unexamined: z
      .enum(UNEXAMINED)
      .optional()
      .describe(
        'files that nobody looked into and that can run or hold weights: forbid, listed (under accept) or allow',
      ),
    accept: z.array(Digest).optional().describe('digests of such files that are accepted'),
    limits: z
      .strictObject({
        files: Count.optional(),
        tensors: Count.optional(),
        size: Count.optional().describe('bytes in all files'),
        fileSize: Count.optional().describe('bytes in one file'),
        headerSize: Count.optional().describe('bytes of one header'),
      })
      .optional(),
    severity: z.record(Rule, z.enum(SEVERITIES)).optional().describe('other severities than the rules have'),
    waivers: z.array(Waiver).optional(),
    sources: z.record(Name, ZoneSchema).optional().describe('zones: where models may come from'),
  });
  return { PolicySchema, TensorLine, Waiver, ZoneSchema };
});

export type PolicyDocument = Zod.infer<ReturnType<typeof policySchemas>['PolicySchema']>;

/** The fields that an object at `path` may have, for suggestions. */
export function fieldsAt(path: readonly PropertyKey[]): readonly string[] {
  const { PolicySchema, TensorLine, Waiver, ZoneSchema } = policySchemas();
  if (path.length === 0) return Object.keys(PolicySchema.shape);
  if (path[0] === 'tensors' && path.length === 2) return Object.keys(TensorLine.shape);
  if (path[0] === 'waivers' && path.length === 2) return Object.keys(Waiver.shape);
  if (path[0] === 'sources' && path.length === 2) return Object.keys(ZoneSchema.shape);
  return path[0] === 'limits' ? Object.keys(PolicySchema.shape.limits.unwrap().shape) : [];
}
