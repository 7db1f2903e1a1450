// What one way of looking says of a target. Several together say more than the best of them: a header is only a claim.
import type { State } from '../state.ts';

export const WITNESSES = ['header', 'adapters', 'image', 'behaviour'] as const;
type WitnessName = (typeof WITNESSES)[number];

export interface Witness {
  readonly witness: WitnessName;
  /** null: it cannot be asked here, and nothing was looked at. */
  readonly state: State | null;
  readonly message: string;
}

export const says = (witness: WitnessName, state: State | null, message: string): Witness => ({
  witness,
  state,
  message: message.slice(0, 500),
});
