// What is in a bundle once it has been read; everything in it is a claim.
import type { Hash } from '../signer/key.ts';

export type Content =
  | {
      readonly kind: 'envelope';
      readonly payloadType: string;
      readonly payload: Buffer;
      readonly signature: Buffer;
    }
  /** Over the bytes of one document; `digest` is what the bundle says of them, unsigned. */
  | { readonly kind: 'message'; readonly digest: MessageDigest | null; readonly signature: Buffer };

interface MessageDigest {
  readonly hash: Hash;
  readonly hex: string;
}

export type Material =
  /** `raw`: the key itself, as versions before 1.1 wrote it. */
  | { readonly method: 'key'; readonly hint: string | null; readonly raw: Buffer | null }
  /** DER, leaf first. */
  | { readonly method: 'certificate'; readonly certificates: readonly Buffer[] }
  | { readonly method: 'identity' };

export interface Bundle {
  readonly content: Content;
  readonly material: Material;
  /** As it was parsed, for @sigstore/bundle. */
  readonly json: unknown;
}
