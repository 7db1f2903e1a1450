// The behaviour of a release as a document, `steelyard/fingerprint/1`: three answers with their log-probabilities.
import { z } from 'zod';
import { ReleaseSchema, SamplingSchema, TokenSchema } from '../target/sampling-schema.ts';

export const FINGERPRINT_SCHEMA = 'steelyard/fingerprint/1';

export const FingerprintSchema = z.strictObject({
  schema: z.literal(FINGERPRINT_SCHEMA),
  release: ReleaseSchema,
  tie: z
    .enum(['engine', 'header', 'none'])
    .describe('how the target was tied to the release: files hashed here, a header, or not at all'),
  engine: z.string().max(500).nullable().describe('what the target says it is'),
  sampling: SamplingSchema,
  floor: z.number().min(0).describe('largest divergence (JS, nats) between two askings of this target'),
  takenAt: z.iso.datetime(),
  answers: z
    .array(
      z.strictObject({ prompt: z.string().min(1).max(10_000), tokens: z.array(TokenSchema).min(1).max(64) }),
    )
    .min(1)
    .max(16),
});

export type Fingerprint = z.infer<typeof FingerprintSchema>;
