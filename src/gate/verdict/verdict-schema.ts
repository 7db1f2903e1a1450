// The source of the JSON Schema of `steelyard/verdict/1`.
import { z } from 'zod';

const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const Time = z.iso.datetime();
// Not a list: a release that knows one code more must not break whoever reads verdicts.
const Code = z.string().regex(/^[A-Z_]+$/);

const Signer = z
  .discriminatedUnion('method', [
    z.strictObject({ method: z.literal('key'), fingerprint: Digest }),
    z.strictObject({ method: z.literal('certificate'), fingerprint: Digest, subject: z.string() }),
    z.strictObject({ method: z.literal('identity'), identity: z.string(), issuer: z.string() }),
  ])
  .meta({ id: 'Signer' });

const Denial = z
  .strictObject({
    code: Code,
    control: z
      .string()
      .optional()
      .describe('its id in the policy, or mbom, model, scan, image, approvals, recalls, policy'),
    file: z.string().optional(),
    message: z.string(),
    expected: z.string().optional(),
    actual: z.string().optional(),
  })
  .meta({ id: 'Denial' });

const Line = z.int().min(1).nullable();

const Evidence = z
  .strictObject({
    file: z.string(),
    line: Line,
    digest: Digest,
    kind: z.string(),
    by: z.string().describe('the identity of the policy'),
    signer: Signer,
    time: Time.nullable().describe('when it was made, as it says itself'),
    database: Time.nullable(),
  })
  .meta({ id: 'CountedEvidence' });

const Finding = z
  .strictObject({
    id: z.string(),
    package: z.string().nullable(),
    severity: z.string(),
    fixed: z.string().nullable(),
    exception: z.strictObject({ by: z.string(), reason: z.string(), expires: z.string() }).nullable(),
  })
  .meta({ id: 'GateFinding' });

const Control = z
  .strictObject({
    id: z.string(),
    kind: z.string(),
    outcome: z.enum(['pass', 'fail']),
    evidence: z.array(Evidence),
    findings: z.array(Finding),
    notes: z.array(z.string()),
  })
  .meta({ id: 'ControlVerdict' });

export const VerdictSchema = z.strictObject({
  schema: z.literal('steelyard/verdict/1'),
  outcome: z.enum(['promote', 'refuse']),
  time: Time,
  validUntil: Time.nullable().describe('until when it holds, if nothing else changes'),
  environment: z.string(),
  current: Digest.nullable().describe('the release that ran then'),
  release: z.strictObject({
    digest: Digest,
    name: z.string().nullable(),
    root: Digest.nullable(),
    image: z.string().nullable(),
    adapter: Digest.nullable(),
  }),
  policy: z.strictObject({ name: z.string(), digest: Digest }),
  controls: z.array(Control),
  approvals: z.strictObject({
    need: z.int().min(0).describe('0: approvals were not judged'),
    counted: z.array(z.strictObject({ person: z.string(), digest: Digest, expires: Time })),
    notCounted: z.array(Denial),
  }),
  refusals: z.array(Denial),
  unused: z.array(z.strictObject({ file: z.string(), line: Line, reason: z.string() })),
  reviewed: z.array(z.strictObject({ name: z.string(), digest: Digest })),
  tool: z.strictObject({ name: z.literal('steelyard'), version: z.string() }),
});
