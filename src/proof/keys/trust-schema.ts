// What a list of trusted keys looks like, as zod says it.
import { zod } from '../../document/zod.ts';

export const trustSchema = () => {
  const z = zod();
  const time = z.iso.datetime({ offset: true });
  const key = z.strictObject({
    /** For people. */
    name: z.string().min(1).max(200),
    /** PEM. */
    publicKey: z.string().min(1).max(2000),
    notBefore: time.optional(),
    notAfter: time.optional(),
    /** From then on, somebody else may have it. */
    revokedAt: time.optional(),
    reason: z.string().min(1).max(1000).optional(),
  });
  return z.strictObject({ schema: z.literal('steelyard/trust/1'), keys: z.array(key).min(1).max(1000) });
};
