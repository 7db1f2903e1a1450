// How a target is asked and what it says, as parts of our documents.
import { z } from 'zod';

const Word = z.string().max(4096);
const Logprob = z.number().min(-9999).max(0);

export const SamplingSchema = z
  .strictObject({
    temperature: z.number().min(0).max(2),
    seed: z.int().min(0),
    maxTokens: z.int().min(1).max(16_384),
    topLogprobs: z.int().min(0).max(64),
  })
  .meta({ id: 'Sampling' });

export const TokenSchema = z
  .tuple([Word, Logprob, z.array(z.tuple([Word, Logprob])).max(64)])
  .meta({ id: 'Token' });

export const DigestSchema = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256: and 64 hexadecimal digits');

/** A release, by digests; names bind nothing. */
export const ReleaseSchema = z
  .strictObject({
    bom: DigestSchema.describe("SHA-256 of the MBOM's bytes"),
    model: DigestSchema,
    adapter: DigestSchema.optional(),
  })
  .meta({ id: 'Release' });
