// The behaviour of a release as a document, `steelyard/fingerprint/1`: three answers with their log-probabilities.
import { z } from 'zod';

export const FINGERPRINT_SCHEMA = 'steelyard/fingerprint/1';

const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256: and 64 hexadecimal digits');
const Word = z.string().max(4096);
const Logprob = z.number().min(-9999).max(0);

const ReleaseSchema = z
  .strictObject({
    bom: Digest.describe("SHA-256 of the MBOM's bytes"),
    model: Digest,
    adapter: Digest.optional(),
  })
  .meta({ id: 'Release' });

const TokenSchema = z.tuple([Word, Logprob, z.array(z.tuple([Word, Logprob])).max(64)]).meta({ id: 'Token' });

const SamplingSchema = z
  .strictObject({
    temperature: z.number().min(0).max(2),
    seed: z.int().min(0),
    maxTokens: z.int().min(1).max(16_384),
    topLogprobs: z.int().min(0).max(64),
  })
  .meta({ id: 'Sampling' });

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
