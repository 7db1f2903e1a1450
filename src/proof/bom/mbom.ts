// The model bill of materials: what a model is made of, each part pinned by its digest. `steelyard/mbom/1`.

/** Something that the model was made from, or is run with. */
export interface Part {
  readonly name: string;
  /** `sha256:…`: a root digest, or the digest of the one file that it is. */
  readonly digest: string;
}

export interface MbomFile {
  readonly path: string;
  /** 64 lower-case hex digits, as sha256sum prints them. */
  readonly sha256: string;
  readonly size: number;
}

/** All tensors of a model, whatever files they lie in. */
export interface TensorsDigest {
  readonly count: number;
  /** `sha256:…`: see `tensorsDigest`. */
  readonly digest: string;
}

export interface Mbom {
  readonly schema: 'steelyard/mbom/1';
  /** `digest`: the root digest of OpenSSF Model Signing over `files`. */
  readonly model: Part;
  readonly baseModel?: Part;
  readonly adapter?: Part;
  /** `name@sha256:…`. */
  readonly runtimeImage?: string;
  /** `sha256:…`: the digest that its profile document has. */
  readonly profile?: string;
  readonly tensors?: TensorsDigest;
  /** The key that is said to sign it. A hint for finding the key, never a reason to trust it. */
  readonly signingKey?: string;
  readonly files: readonly MbomFile[];
  /** Serving files beside the model (configuration, prompts, glue code), relative to the MBOM: no part of the root digest. */
  readonly config?: readonly MbomFile[];
}
