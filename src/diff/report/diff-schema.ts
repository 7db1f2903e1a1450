// The source of the diff's JSON Schema. Diffs are written, not read: nothing of ours parses one with this.
import { zod } from '../../document/zod.ts';
import { CONCLUSIONS } from './diff-report.ts';

/** Made when the schema is asked for. */
export const diffSchema = () => {
  const z = zod();
  const Count = z.int().min(0);
  const Digest = z.string().nullable();
  const Measured = z.number().nullable();

  const Side = z
    .strictObject({
      files: z.array(
        z.strictObject({
          path: z.string(),
          format: z.enum(['safetensors', 'gguf']).nullable(),
          size: Count,
          sha256: z.string(),
        }),
      ),
      tensorCount: Count,
      count: Count,
      size: Count,
    })
    .meta({ id: 'Side' });

  const Conclusion = z
    .strictObject({
      // Not a list: a release that knows one kind more must not break whoever validates.
      kind: z.string().meta({ examples: Object.keys(CONCLUSIONS) }),
      concern: z.enum(['tampering', 'damage', 'recipe', 'unknown']),
      message: z.string(),
      tensors: z.array(z.string()),
      evidence: z.array(z.strictObject({ name: z.string(), value: Measured, limit: z.string().optional() })),
      caveat: z.string(),
    })
    .meta({ id: 'Conclusion' });

  const Place = z
    .strictObject({
      name: z.string(),
      file: z.string(),
      dtype: z.string(),
      shape: z.array(Count),
      sha256: Digest,
    })
    .meta({ id: 'TensorPlace' });

  const Axis = z
    .strictObject({
      count: Count,
      changed: Count,
      keptNorm: Count.nullable(),
      unused: Count.nullable(),
      participation: z.number(),
      bands: z.array(z.number()),
      largest: z.array(
        z.strictObject({
          index: Count,
          token: z.string().optional(),
          norm: z.number(),
          goodNorm: z.number(),
          suspectNorm: z.number(),
        }),
      ),
    })
    .meta({ id: 'AxisChange' });

  const Difference = z
    .strictObject({
      count: Count,
      changed: Count,
      firstChanged: Count.nullable(),
      notFinite: Count,
      norm: z.number(),
      goodNorm: z.number(),
      suspectNorm: z.number(),
      relativeNorm: Measured,
      cosine: Measured,
      maxAbs: z.number(),
      bits: z.array(Count).nullable(),
      rows: Axis.nullable(),
      columns: Axis.nullable(),
      spectrum: z
        .strictObject({
          method: z.enum(['exact', 'estimate']),
          values: z.array(z.number()),
          error: z.number(),
          stableRank: z.number(),
        })
        .nullable(),
      elements: z
        .array(
          z.strictObject({
            index: z.array(Count),
            good: Measured,
            suspect: Measured,
            goodBits: z.string(),
            suspectBits: z.string(),
          }),
        )
        .nullable(),
    })
    .meta({ id: 'Difference' });

  const Merge = z
    .strictObject({
      outcome: z.enum(['merged', 'differs', 'not compared']),
      others: Count,
      modules: z.array(
        z.strictObject({
          module: z.string(),
          tensor: z.string().nullable(),
          outcome: z.enum(['merged', 'differs', 'unchanged', 'not compared']),
          strength: Measured,
          rest: Measured,
          room: Measured,
          rows: Count.nullable(),
          reason: z.string().nullable(),
        }),
      ),
    })
    .meta({ id: 'MergeCheck' });

  const Failure = z.strictObject({
    code: z.string(),
    file: z.string(),
    offset: Count.optional(),
    errno: z.string().optional(),
    message: z.string(),
  });

  return z.strictObject({
    schema: z.literal('steelyard/diff/1'),
    tool: z.strictObject({ name: z.literal('steelyard'), version: z.string() }),
    complete: z.boolean(),
    outcome: z.enum(['same', 'changed', 'error']),
    good: Side,
    suspect: Side,
    conclusions: z.array(Conclusion),
    structure: z.array(
      z.strictObject({
        kind: z.enum(['added', 'removed', 'renamed', 'moved', 'swapped', 'reshaped', 'retyped']),
        good: Place.nullable(),
        suspect: Place.nullable(),
      }),
    ),
    files: z.array(z.strictObject({ path: z.string(), good: Digest, suspect: Digest })),
    metadata: z.array(
      z.strictObject({
        file: z.string(),
        key: z.string(),
        good: z.string().nullable(),
        suspect: z.string().nullable(),
      }),
    ),
    tensors: z.array(
      z.strictObject({
        good: Place,
        suspect: Place,
        difference: Difference.nullable(),
        reason: z.string().nullable(),
      }),
    ),
    identical: Count,
    adapter: z.looseObject({}).nullable(),
    merge: Merge.optional(),
    errors: z.array(Failure),
  });
};
