// `steelyard/pull/1` and `steelyard/lock/1` as schemas: the door for what is read back, and the source of their JSON Schema.
import { z } from 'zod';

const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const Expected = z.strictObject({
  algorithm: z.enum(['sha256', 'git-sha1']),
  value: z.string().regex(/^(?:[0-9a-f]{64}|[0-9a-f]{40})$/),
});
const PinSchema = z.strictObject({
  kind: z.enum(['commit', 'version', 'manifest', 'etag', 'none']),
  value: z.string(),
});
const Path = z.string().min(1);
const Size = z.int().min(0);

export const ReceiptSchema = z.strictObject({
  schema: z.literal('steelyard/pull/1'),
  tool: z.strictObject({ name: z.literal('steelyard'), version: z.string() }),
  source: z.string().describe('the pinned source, without query or credential'),
  endpoint: z.string().describe('the server that was asked'),
  pin: PinSchema,
  zone: z.string().nullable().describe('the zone of the policy that allowed the source'),
  policy: Digest.nullable().describe('over the bytes of the policy'),
  model: Digest.describe('the root digest'),
  failOn: z.string(),
  files: z.array(
    z.strictObject({
      path: Path,
      size: Size,
      sha256: Digest,
      expected: Expected.extend({ by: z.enum(['argument', 'lock', 'mbom', 'source']) }).nullable(),
    }),
  ),
});

export const LockSchema = z.strictObject({
  schema: z.literal('steelyard/lock/1'),
  source: z.string().describe('the pinned source'),
  pin: PinSchema,
  files: z
    .array(z.strictObject({ path: Path, size: Size, expected: Expected.nullable() }))
    .min(1)
    .describe('every file, and what it has to be; null: nobody says'),
});
