// What the caller trusts. Nothing in a document can add to it: a key that travels with a signature proves nothing.

/** A public key, in PEM. */
export interface KeyTrust {
  readonly method: 'key';
  readonly publicKey: string | Buffer;
}

/** Root certificates, in PEM, with any intermediate ones that bundles lack. Only self-signed ones are roots. */
export interface CertificateTrust {
  readonly method: 'certificate';
  readonly certificateChain: string | Buffer;
}

/** A Sigstore trusted_root.json, and who must have signed: both compared exactly, never as patterns. */
export interface IdentityTrust {
  readonly method: 'identity';
  readonly trustedRoot: string | Buffer;
  /** The subject alternative name: an e-mail address, or the URI of a workflow. */
  readonly identity: string;
  /** The OpenID Connect issuer that vouched for it. */
  readonly issuer: string;
}

export type Trust = KeyTrust | CertificateTrust | IdentityTrust;

/** Who signed, as far as it was proven. */
export type Signer =
  /** `sha256:…` over the DER of the key. */
  | { readonly method: 'key'; readonly fingerprint: string }
  /** `sha256:…` over the DER of the leaf certificate. */
  | { readonly method: 'certificate'; readonly fingerprint: string; readonly subject: string }
  | { readonly method: 'identity'; readonly identity: string; readonly issuer: string };
