// An OpenID Connect token: who its issuer says that we are. It is shown to the certificate authority and to nobody else; what is read of
// it here is for people, and proves nothing.
import { SteelyardError } from '../../../rules/error.ts';

/** What a token claims. */
export interface Claimed {
  /** The e-mail address, if there is one; else the subject. */
  readonly identity: string;
  readonly issuer: string;
  readonly isEmail: boolean;
}

const MAX_TOKEN = 65_536;

/** Throws USAGE; never with the token, or a part of it. */
export function claimsOf(token: string, now: Date): Claimed {
  const claims = payloadOf(token);
  const { iss, sub, email, exp, email_verified: verified } = claims;
  if (typeof iss !== 'string' || typeof sub !== 'string') throw unusable('it names no issuer and subject');
  if (typeof exp === 'number' && exp * 1000 <= now.getTime())
    throw unusable('it has expired: ask for a new one just before signing');
  // Only an address that the issuer has verified becomes the name in a certificate.
  const isEmail = typeof email === 'string' && (verified === true || verified === 'true');
  return { identity: isEmail ? email : sub, issuer: iss, isEmail };
}

function payloadOf(token: string): Readonly<Record<string, unknown>> {
  const [, payload] = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token.length > MAX_TOKEN ? '' : token) ?? [];
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString('utf8'));
    if (typeof claims === 'object' && claims !== null) return claims as Record<string, unknown>;
  } catch {
    // Said below: the parser's message quotes what it read.
  }
  throw unusable('it is no JSON web token');
}

const unusable = (why: string): SteelyardError =>
  new SteelyardError('USAGE', `the identity token cannot be used: ${why}`);
