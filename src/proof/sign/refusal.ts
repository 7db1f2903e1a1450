// Why something is not proven. A refusal is data, like a finding: the caller decides on its code, people read its message.

/** Closed: programs decide on these. Codes are never reused for another meaning. */
export type RefusalCode =
  | 'UNSIGNED' // there is no signature at all
  | 'BAD_SIGNATURE' // the signature is not by the trusted key over these bytes
  | 'WRONG_KEY' // the bundle names another key than the trusted one
  | 'REVOKED_KEY' // the key was revoked, and nothing proves that it signed before that
  | 'EXPIRED_KEY' // the key is trusted, and not at this time
  | 'WRONG_IDENTITY' // signed by another identity, or one vouched for by another issuer
  | 'WRONG_METHOD' // signed with a key where a certificate is trusted, or the like
  | 'UNTRUSTED_CERTIFICATE' // no chain of valid certificates leads to a trusted root
  | 'UNSUPPORTED_BUNDLE' // well formed, but of a kind that is not verified here
  | 'MALFORMED_BUNDLE' // not a Sigstore bundle with an in-toto statement in it
  | 'DOWNGRADED' // signed in a weaker way than its format asks for
  | 'PATH_ESCAPE' // a name that is no plain relative path
  | 'DUPLICATE_NAME' // one name for two files
  | 'ROOT_MISMATCH' // the root digest is not that of the files listed, or of another model
  | 'DIGEST_MISMATCH' // a file is not the one that was signed
  | 'MISSING_FILE' // signed, but not there
  | 'EXTRA_FILE' // there, but not signed
  | 'RENAMED_FILE' // signed under another name
  | 'IGNORED_WEIGHTS' // the signer left out a file that a loader would load or run
  | 'MALFORMED_MBOM' // not an MBOM
  | 'UNTRUSTED_SOURCE' // no trusted receipt says that the model came the way that is asked for
  | 'FAILED_SCAN'; // attested, but with the result FAILED

export interface Refusal {
  readonly code: RefusalCode;
  /** Relative to the model's root. */
  readonly file?: string;
  readonly message: string;
  readonly expected?: string;
  readonly actual?: string;
}

/** `verified` decides; what was proven exists only where it is true. */
export type Outcome<Proof> =
  | ({ readonly verified: true } & Proof)
  | { readonly verified: false; readonly refusals: readonly [Refusal, ...Refusal[]] };

type Place = Omit<Refusal, 'code' | 'message'>;

/** Ends a verification. Never leaves src/proof: `proven` turns it into data. */
export class Refused extends Error {
  readonly refusals: readonly [Refusal, ...Refusal[]];

  constructor(refusals: readonly [Refusal, ...Refusal[]]) {
    super(refusals[0].message);
    this.refusals = refusals;
  }
}

export function refuse(code: RefusalCode, message: string, place: Place = {}): never {
  throw new Refused([{ code, ...place, message }]);
}

/** Fails closed: only a `prove` that returns has proven something. Errors about the world pass through. */
export function proven<Proof extends object>(prove: () => Proof): Outcome<Proof> {
  try {
    return { verified: true, ...prove() };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { verified: false, refusals: error.refusals };
  }
}
