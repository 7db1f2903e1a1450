// An intended change, accepted by somebody: a signed statement about two releases, one suite and the findings it names, until a day.
// Bound by digests, it does not move to the next release.
import { z } from 'zod';
import { type Outcome, proven, refuse } from '../../proof/sign/refusal.ts';
import { type AnyKey, type Signed, signStatement } from '../../proof/sign/sign.ts';
import { openBundle, openStatement } from '../../proof/sign/signer/signature.ts';
import { writeStatement } from '../../proof/sign/statement/statement.ts';
import type { Signer, Trust } from '../../proof/sign/trust.ts';
import { SteelyardError } from '../../rules/error.ts';
import type { Canary, CanaryFinding } from '../compare/canary-schema.ts';
import { DigestSchema } from '../target/sampling-schema.ts';

const PREDICATE = 'urn:steelyard:canary-waiver:v1';

const WaiverSchema = z.strictObject({
  suite: DigestSchema,
  old: DigestSchema,
  new: DigestSchema,
  changes: z
    .array(z.strictObject({ rule: z.string(), prompt: z.string().nullable() }))
    .min(1)
    .max(100_000),
  reason: z.string().min(1).max(1000),
  owner: z.string().min(1).max(200),
  expires: z.iso.date(),
});
export type CanaryWaiver = z.infer<typeof WaiverSchema>;

export interface WaiveOptions {
  /** Prompts whose findings are accepted; default: all that count. */
  readonly prompts?: readonly string[];
  readonly reason: string;
  readonly owner: string;
  /** The last day, YYYY-MM-DD. */
  readonly expires: string;
}

/** @returns a Sigstore bundle. @throws SteelyardError USAGE: nothing to waive, no releases, a day that is none. */
export function waive<Key extends AnyKey>(
  canary: Canary,
  key: Key,
  options: WaiveOptions,
): Signed<Key, string> {
  const { prompts, reason, owner, expires } = options;
  const [old, now] = [canary.old?.release?.bom, canary.new.release?.bom];
  if (old === undefined || now === undefined)
    throw new SteelyardError('USAGE', 'a waiver binds to two releases: compare runs that name them (--bom)');
  const changes = canary.findings
    .filter(
      ({ prompt, waived }) =>
        waived === undefined && (prompts === undefined || prompts.includes(prompt ?? '')),
    )
    .map(({ rule, prompt }) => ({ rule, prompt }));
  const unknown = prompts?.find((one) => !canary.findings.some(({ prompt }) => prompt === one));
  if (unknown !== undefined)
    throw new SteelyardError('USAGE', `there is no finding about the prompt ${unknown}`);
  const waiver = WaiverSchema.safeParse({
    suite: canary.new.suite,
    old,
    new: now,
    changes,
    reason,
    owner,
    expires,
  });
  if (!waiver.success)
    throw new SteelyardError(
      'USAGE',
      changes.length === 0 ? 'there is nothing to waive' : waiver.error.issues[0]!.message,
    );
  const subject = [{ name: 'release', digest: { sha256: now.slice('sha256:'.length) } }];
  return signStatement(writeStatement(subject, PREDICATE, waiver.data), key);
}

/** A waiver is a fact once its signature is that of somebody the caller trusts. */
export function openWaiver(
  bundle: Uint8Array,
  trust: Trust,
  now: Date,
): Outcome<{ readonly waiver: CanaryWaiver; readonly signer: Signer }> {
  return proven(() => {
    const { statement, signer } = openStatement(openBundle(bundle, trust), trust, now);
    const parsed = WaiverSchema.safeParse(statement.predicate);
    if (statement.predicateType !== PREDICATE || !parsed.success)
      return refuse('UNSUPPORTED_BUNDLE', 'the statement is no waiver of a canary', {
        actual: statement.predicateType,
      });
    if (!statement.subject.some(({ digest }) => `sha256:${digest.sha256}` === parsed.data.new))
      return refuse('ROOT_MISMATCH', 'the waiver contradicts itself: its subject is another release');
    return { waiver: parsed.data, signer };
  });
}

/** Marks what a waiver accepts. One for another suite, for other releases or of yesterday accepts nothing. */
export function withWaivers(
  findings: readonly CanaryFinding[],
  sides: { readonly suite: string; readonly old: string | undefined; readonly new: string | undefined },
  waivers: readonly CanaryWaiver[],
  today: string,
): CanaryFinding[] {
  const valid = waivers.filter(
    (one) =>
      one.suite === sides.suite && one.old === sides.old && one.new === sides.new && one.expires >= today,
  );
  return findings.map((found) => {
    const by = valid.find(({ changes }) =>
      changes.some(({ rule, prompt }) => rule === found.rule && prompt === found.prompt),
    );
    if (by === undefined) return found;
    const { reason, owner, expires } = by;
    return { ...found, waived: { reason, owner, expires } };
  });
}
