// Everything among the evidence whose signature held, by whatever identity of the policy; and what did not, with the reason.
import type { Denial } from '../verdict/denial.ts';
import type { Identity } from './identity.ts';
import type { DocumentPiece, Piece, StatementPiece } from './piece.ts';
import { type Claim, openClaim, openDocument } from './proven-claim.ts';

export interface Unopened {
  readonly piece: StatementPiece | DocumentPiece;
  readonly denials: readonly [Denial, ...Denial[]];
}

export interface Opened {
  readonly claims: readonly Claim[];
  readonly unopened: readonly Unopened[];
}

/** Each signature is checked once, against all identities; which of them counts for what is a control's question. */
export function openAll(pieces: readonly Piece[], identities: readonly Identity[], now: Date): Opened {
  const claims: Claim[] = [];
  const unopened: Unopened[] = [];
  for (const piece of pieces) {
    if (piece.form !== 'statement' && piece.form !== 'document') continue;
    const opened =
      piece.form === 'statement' ? openClaim(piece, identities, now) : openDocument(piece, identities, now);
    if (opened.denials === undefined) claims.push(opened.value);
    else unopened.push({ piece, denials: opened.denials });
  }
  return { claims, unopened };
}
