// The source of the JSON Schema of a population's report. It is written, not read.
import { zod } from '../../document/zod.ts';

/** Made when the schema is asked for. */
export const populationSchema = () => {
  const z = zod();
  const Count = z.int().min(0);
  const Measured = z.number().nullable();
  return z.strictObject({
    schema: z.literal('steelyard/population/1'),
    tool: z.strictObject({ name: z.literal('steelyard'), version: z.string() }),
    outcome: z.enum(['even', 'odd', 'error']),
    good: Count,
    leastAdjusted: Measured,
    level: z.number(),
    suspects: z.array(
      z.strictObject({
        name: z.string(),
        verdict: z.enum(['even', 'odd', 'known', 'not judged']),
        pValue: Measured,
        adjusted: Measured,
        reason: z.string().nullable(),
        rank: Count.nullable(),
        statistics: z.array(z.strictObject({ name: z.string(), value: Measured, robustZ: Measured })),
      }),
    ),
    errors: z.array(
      z.strictObject({
        code: z.string(),
        file: z.string(),
        offset: Count.optional(),
        errno: z.string().optional(),
        message: z.string(),
      }),
    ),
  });
};
