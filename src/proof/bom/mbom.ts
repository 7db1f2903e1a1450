// The model bill of materials: what a model is made of, each part pinned by its digest. `steelyard/mbom/1`.
import * as z from 'zod';

/** Something that the model was made from, or is run with. */
export interface Part {
  readonly name: string;
  /** `sha256:…`: a root digest, or the digest of the one file that it is. */
  readonly digest: string;
}

export interface MbomFile {
  readonly path: string;
  /** 64 lower-case hex digits, as sha256sum prints them. */
  readonly sha256: string;
  readonly size: number;
}

/** All tensors of a model, whatever files they lie in. */
export interface TensorsDigest {
  readonly count: number;
  /** `sha256:…`: see `tensorsDigest`. */
  readonly digest: string;
}

export interface Mbom {
  readonly schema: 'steelyard/mbom/1';
  /** `digest`: the root digest of OpenSSF Model Signing over `files`. */
  readonly model: Part;
  readonly baseModel?: Part;
  readonly adapter?: Part;
  /** `name@sha256:…`. */
  readonly runtimeImage?: string;
  /** `sha256:…`: the digest that its profile document has. */
  readonly profile?: string;
  readonly tensors?: TensorsDigest;
  /** The key that is said to sign it. A hint for finding the key, never a reason to trust it. */
  readonly signingKey?: string;
  readonly files: readonly MbomFile[];
}

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

/** A document in failsafe YAML, where every scalar is a string: `1234e567` is a digest's beginning, not infinity. */
export const schema = z.strictObject({
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
  files: z
    .array(
      z.strictObject({
        path: z.string(),
        sha256: z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits are needed'),
        size: integer,
      }),
    )
    .min(1),
});
