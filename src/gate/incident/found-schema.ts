// The source of the JSON Schema of `steelyard/found/1`: what `find` answers.
import { z } from 'zod';

const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

const Found = z
  .strictObject({
    release: Digest,
    name: z.string(),
    path: z.string().describe('of the MBOM'),
    where: z.array(z.string()),
    promoted: z
      .strictObject({ environment: z.string(), time: z.string() })
      .nullable()
      .describe('the last verdict beside it that promoted it'),
    signedBy: z
      .union([z.string(), z.literal(false)])
      .nullable()
      .describe('who signed the MBOM, by the policy; false: nobody who is listed; null: no policy was given'),
  })
  .meta({ id: 'Found' });

const Sighting = z
  .strictObject({
    release: Digest,
    file: z.string(),
    lines: z.int().min(1),
    first: z.string(),
    last: z.string(),
  })
  .meta({ id: 'Sighting' });

export const FoundSchema = z.strictObject({
  schema: z.literal('steelyard/found/1'),
  query: z.string(),
  searched: z.int().min(0),
  found: z.array(Found),
  seen: z.array(Sighting).describe('lines of drift that name a release that was found'),
  unreadable: z
    .array(z.strictObject({ path: z.string(), message: z.string() }))
    .describe('what may be the one, and could not be read'),
});
