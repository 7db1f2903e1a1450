// What signed documents look like, as zod says it. Asked only about a document that the check beside its reader does not accept,
// and loaded only then: whoever signs or verifies what is in order does not wait for zod.
import type * as Zod from 'zod';
import type { Guard } from '../../../document/check.ts';
import { zod } from '../../../document/zod.ts';
import { refuse } from '../refusal.ts';

/** The value, if `check` accepts it or else the schema does. Refuses as `checked`. */
export const accepted = <T>(
  check: Guard<T>,
  schema: () => Zod.ZodType<T>,
  value: unknown,
  what: string,
): T => (check(value) ? value : checked(schema(), value, what));

/** The value as the schema describes it, or a refusal that names the first field that is not. */
export function checked<T>(schema: Zod.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue!.path.join('.');
  const where = path === '' ? what : `${what}'s ${path}`;
  return refuse('MALFORMED_BUNDLE', `the ${where} is not as it must be: ${issue!.message.slice(0, 200)}`);
}

type JsonOf<Schema extends () => Zod.ZodType> = Zod.infer<ReturnType<Schema>>;
export type BundleJson = JsonOf<typeof bundleSchema>;
export type LegacyBundleJson = JsonOf<typeof legacyBundleSchema>;
export type StatementJson = JsonOf<typeof statementSchema>;
export type ModelPredicateJson = JsonOf<typeof modelPredicateSchema>;

/** The Sigstore bundle, version 0.3. */
export const bundleSchema = () => {
  const z = zod();
  const certificate = z.strictObject({ rawBytes: z.string() });
  return z.strictObject({
    mediaType: z.string(),
    verificationMaterial: z.strictObject({
      publicKey: z
        .strictObject({
          hint: z.string().optional(),
          rawBytes: z.string().optional(),
          keyDetails: z.string().optional(),
        })
        .optional(),
      x509CertificateChain: z.strictObject({ certificates: z.array(certificate).min(1).max(16) }).optional(),
      certificate: certificate.optional(),
      tlogEntries: z.array(z.unknown()).optional(),
      timestampVerificationData: z.unknown().optional(),
    }),
    dsseEnvelope: z
      .strictObject({
        payload: z.string(),
        payloadType: z.string(),
        signatures: z.array(z.strictObject({ sig: z.string(), keyid: z.string().nullish() })),
      })
      .optional(),
    messageSignature: z
      .strictObject({
        messageDigest: z
          .strictObject({ algorithm: z.enum(['SHA2_256', 'SHA2_384', 'SHA2_512']), digest: z.string() })
          .optional(),
        signature: z.string(),
      })
      .optional(),
  });
};

/** The JSON that cosign wrote before version 3. */
export const legacyBundleSchema = () => {
  const z = zod();
  return z.strictObject({
    base64Signature: z.string(),
    cert: z.string().optional(),
    rekorBundle: z.unknown().optional(),
  });
};

/** in-toto Statement v1, and v0.1, which has the same fields. */
export const statementSchema = () => {
  const z = zod();
  const digest = z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) });
  return z.object({
    _type: z.enum(['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1']),
    subject: z.array(z.object({ name: z.string().optional(), digest })).min(1),
    predicateType: z.string().min(1),
    predicate: z.unknown().optional(),
  });
};

/** The predicate of OpenSSF Model Signing v1.0. */
export const modelPredicateSchema = () => {
  const z = zod();
  return z.object({
    serialization: z.object({
      method: z.enum(['files', 'shards']),
      hash_type: z.string().max(40),
      ignore_paths: z.array(z.string()).optional(),
    }),
    resources: z
      .array(
        z.object({
          name: z.string(),
          algorithm: z.string().regex(/^sha256(-sharded-\d+(\.0)?)?$/),
          digest: z.string().regex(/^[0-9a-f]{64}$/),
        }),
      )
      .min(1),
  });
};
