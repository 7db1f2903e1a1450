// The day on which a policy is applied: no stage reads a clock.
import { SteelyardError } from '../../rules/error.ts';
import type { Policy } from './policy.ts';

/** A waiver whose expiry is compared with nothing would never expire. Throws USAGE. */
export function assertDay(policy: Policy | undefined, today: string | undefined): void {
  if (policy === undefined || policy.waivers.length === 0) return;
  if (!/^\d{4}-\d\d-\d\d$/.test(today ?? ''))
    throw new SteelyardError('USAGE', 'the policy has waivers, and they expire: say what day it is (today)');
}
