// The door for profiles that come in, and the source of their JSON Schema. Arrays of named entries everywhere: an object whose
// keys are foreign names would need care about `__proto__` in every reader.
import { zod } from '../../../document/zod.ts';
import { BASE64, BIN_LIMIT } from '../entry.ts';
import { PROFILE_SCHEMA } from './document.ts';

/** Made when a profile is read. */
export const profileSchemas = () => {
  const z = zod();
  const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
  const Count = z.int().min(0);
  /** Integers beyond 2^53 are strings. */
  const Extreme = z.union([z.number(), z.string().regex(/^-?\d{1,20}$/)]).nullable();
  const Measured = z.number().nullable();

  /** A bin's index: no double's magnitude lies outside of these. */
  const Bin = z.int().min(-BIN_LIMIT).max(BIN_LIMIT);
  const HistogramRun = z.strictObject({ first: Bin, counts: z.array(Count) }).meta({ id: 'HistogramRun' });

  const ScaleStats = z
    .strictObject({
      count: Count,
      zero: Count,
      negative: Count,
      nan: Count,
      inf: Count,
      subnormal: Count,
      min: Measured,
      max: Measured,
      mean: Measured,
      std: Measured,
      entropy: Measured,
    })
    .meta({ id: 'ScaleStats' });

  const QuantizedStats = z
    .strictObject({
      blocks: Count,
      blocksAtExtreme: Count.nullable(),
      scales: ScaleStats.nullable(),
      mins: ScaleStats.nullable(),
      quants: z.strictObject({ counts: z.array(Count), entropy: z.number() }).nullable(),
    })
    .meta({ id: 'QuantizedStats' });

  const Stats = z
    .strictObject({
      coverage: z.enum(['values', 'scales', 'bytes']),
      count: Count,
      zero: Count,
      negativeZero: Count,
      nan: Count,
      posInf: Count,
      negInf: Count,
      subnormal: Count,
      distinctNaN: Count,
      min: Extreme,
      max: Extreme,
      absMax: Extreme,
      mean: Measured,
      std: Measured,
      l1: Measured,
      l2: Measured,
      skewness: Measured,
      kurtosis: Measured,
      entropy: z.strictObject({
        code: Measured,
        exponent: Measured,
        mantissa: Measured,
        bytes: z.array(z.number()),
      }),
      histogram: z
        .strictObject({ negative: HistogramRun.nullable(), positive: HistogramRun.nullable() })
        .nullable(),
      trailingZeros: z.array(Count).nullable(),
      quantized: QuantizedStats.nullable(),
      rows: z.strictObject({ norms: z.array(Measured), digests: z.array(Digest) }).nullable(),
      sketch: z.string().regex(BASE64).optional(),
    })
    .meta({ id: 'Stats' });

  const TensorEntry = z
    .strictObject({
      name: z.string(),
      file: z.string(),
      dtype: z.string(),
      shape: z.array(Count),
      start: Count,
      end: Count,
      sha256: Digest.nullable(),
      stats: Stats.nullable(),
    })
    .meta({ id: 'Tensor' });

  const MetadataEntry = z
    .strictObject({
      key: z.string(),
      type: z.string(),
      value: z.union([z.string(), z.number(), z.boolean()]).optional(),
      digest: Digest.optional(),
      size: Count.optional(),
      count: Count.optional(),
    })
    .meta({ id: 'Metadata' });

  const FileEntry = z
    .strictObject({
      path: z.string(),
      format: z.enum(['safetensors', 'gguf']).nullable(),
      size: Count,
      sha256: Digest,
      tensorCount: Count,
      headerSize: Count.nullable(),
      metadata: z.array(MetadataEntry),
      templates: z.array(
        z.strictObject({ name: z.string(), source: z.enum(['metadata', 'file']), digest: Digest }),
      ),
    })
    .meta({ id: 'File' });

  /** All of a profile but its tensors, which are too many for a general validator. */
  const ProfileFrame = z.strictObject({
    schema: z.literal(PROFILE_SCHEMA),
    digest: Digest,
    files: z.array(FileEntry),
    tensors: z.array(z.unknown()),
  });

  const ProfileSchema = z.strictObject({ ...ProfileFrame.shape, tensors: z.array(TensorEntry) });
  return { FileEntry, ProfileFrame, ProfileSchema, TensorEntry };
};
