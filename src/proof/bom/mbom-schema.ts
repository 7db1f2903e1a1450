// What an MBOM looks like, as zod says it.
import { once, zod } from '../../document/zod.ts';

/** Made when an MBOM is read. */
export const mbomSchema = once(() => {
  const z = zod();
  const digest = z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, 'a digest is needed: sha256: and 64 lower-case hex digits');
  const name = z.string().min(1).max(1000);
  const part = z.strictObject({ name, digest });

  const integer = z
    .string()
    .regex(/^(0|[1-9]\d{0,15})$/, 'an integer is needed')
    .transform(Number)
    .refine(Number.isSafeInteger, 'the number is too large');

  const file = z.strictObject({
    path: z.string(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits are needed'),
    size: integer,
  });

  /** A document in failsafe YAML, where every scalar is a string: `1234e567` is a digest's beginning, not infinity. */
  return z.strictObject({
    schema: z.literal('steelyard/mbom/1'),
    model: part,
    base_model: part.optional(),
    adapter: part.optional(),
    // A tag can be moved to another image after the MBOM was signed.
    runtime_image: z
      .string()
      .regex(/^[^\s@]{1,1000}@sha256:[0-9a-f]{64}$/, 'an image must be pinned by its digest: name@sha256:…')
      .optional(),
    profile: digest.optional(),
    tensors: z.strictObject({ count: integer, digest }).optional(),
    signing_key: digest.optional(),
    files: z.array(file).min(1),
    config: z.array(file).min(1).optional(),
  });
});
