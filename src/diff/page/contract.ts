// What the page carries as data: a report cut to what a person can look at, every foreign string already inert, every number
// rounded to what is shown. Columns instead of objects, because a report may list 100,000 tensors.
import type { Concern, ConclusionKind, DiffReport, StructuralChange } from '../report/diff-report.ts';

export interface PageData {
  readonly version: string;
  readonly outcome: DiffReport['outcome'];
  readonly complete: boolean;
  readonly good: PageSide;
  readonly suspect: PageSide;
  readonly conclusions: Capped<PageConclusion>;
  readonly structure: Capped<PageStructure>;
  readonly files: Capped<PageFile>;
  readonly metadata: Capped<PageMetadata>;
  readonly tensors: TensorColumns;
  /** Changed tensors in the report; more than there are in the columns if it has too many for a page. */
  readonly changed: number;
  readonly identical: number;
  /** By index into the columns. */
  readonly details: Readonly<Record<number, PageDetail>>;
  readonly adapter: PageAdapter | null;
  readonly errors: Capped<PageError>;
}

/** A list that may be longer in the report than on the page. */
export interface Capped<T> {
  readonly total: number;
  readonly items: readonly T[];
}

export interface PageSide {
  readonly files: Capped<{
    readonly path: string;
    readonly format: string | null;
    readonly size: number;
    readonly sha256: string;
  }>;
  readonly tensorCount: number;
  readonly count: number;
  readonly size: number;
}

export interface PageConclusion {
  readonly kind: ConclusionKind;
  readonly concern: Concern;
  readonly message: string;
  readonly caveat: string;
  readonly evidence: readonly {
    readonly name: string;
    readonly value: number | null;
    readonly limit?: string;
  }[];
  /** Names, and indices into the columns; −1 for one that is not among the changed ones, as an added tensor. */
  readonly tensors: Capped<{ readonly name: string; readonly at: number }>;
}

export interface PagePlace {
  readonly name: string;
  readonly file: string;
  readonly type: string;
}

interface PageStructure {
  readonly kind: StructuralChange['kind'];
  readonly good: PagePlace | null;
  readonly suspect: PagePlace | null;
}

interface PageFile {
  readonly path: string;
  readonly good: string | null;
  readonly suspect: string | null;
}

interface PageMetadata {
  readonly file: string;
  readonly key: string;
  readonly good: string | null;
  readonly suspect: string | null;
}

/** Strings that repeat: entry i is values[codes[i]]. */
export interface Coded {
  readonly values: readonly string[];
  readonly codes: readonly number[];
}

/** One entry per tensor in each. null: could not be compared; `reason` says why. */
export interface TensorColumns {
  readonly name: readonly string[];
  readonly file: Coded;
  /** 'BF16 [4096, 4096]', or the two with an arrow. */
  readonly type: Coded;
  readonly module: Coded;
  /** −1: in no layer. */
  readonly layer: readonly number[];
  readonly count: readonly (number | null)[];
  readonly changed: readonly (number | null)[];
  readonly notFinite: readonly (number | null)[];
  readonly relative: readonly (number | null)[];
  readonly cosine: readonly (number | null)[];
  readonly maxAbs: readonly (number | null)[];
  readonly reason: Readonly<Record<number, string>>;
}

export interface PageDetail {
  /** Name in the good model, where it is another one. */
  readonly was: string | null;
  readonly norm: number | null;
  readonly goodNorm: number | null;
  readonly suspectNorm: number | null;
  readonly bits: PageBits | null;
  readonly rows: PageAxis | null;
  readonly columns: PageAxis | null;
  readonly spectrum: {
    readonly method: 'exact' | 'estimate';
    readonly error: number | null;
    readonly values: readonly number[];
    readonly stableRank: number | null;
  } | null;
  readonly elements: readonly PageElement[] | null;
}

export interface PageBits {
  /** [k]: elements whose codes differ in bit k, 0 the lowest. */
  readonly counts: readonly number[];
  readonly fields: BitFields | null;
}

/** Widths, from the highest bit down. */
export interface BitFields {
  readonly sign: number;
  readonly exponent: number;
  readonly mantissa: number;
}

export interface PageAxis {
  readonly count: number;
  readonly changed: number;
  /** Of the changed; null: not told apart. */
  readonly keptNorm: number | null;
  readonly unused: number | null;
  readonly participation: number | null;
  readonly bands: readonly number[];
  readonly largest: readonly PageLine[];
}

export interface PageLine {
  readonly index: number;
  readonly token: string | null;
  readonly norm: number | null;
  readonly goodNorm: number | null;
  readonly suspectNorm: number | null;
}

export interface PageElement {
  readonly index: string;
  readonly good: number | null;
  readonly suspect: number | null;
  readonly goodBits: string;
  readonly suspectBits: string;
}

export interface PageAdapter {
  readonly good: PageAdapterSide;
  readonly suspect: PageAdapterSide;
  readonly modules: Capped<PageModule>;
  readonly population: PagePopulation | null;
}

export interface PageAdapterSide {
  readonly rank: number | null;
  readonly scaling: string;
  readonly modules: number;
  readonly norm: number | null;
  readonly layers: readonly { readonly layer: number; readonly share: number | null }[];
}

export interface PageModule {
  readonly name: string;
  readonly kind: string;
  readonly layer: number;
  readonly good: PageSpectrum | null;
  readonly suspect: PageSpectrum | null;
  readonly pair: {
    readonly relative: number | null;
    readonly cosine: number | null;
    readonly values: readonly number[];
    readonly left: number | null;
    readonly right: number | null;
    readonly novel: number | null;
  } | null;
  /** Why a spectrum that should be there is not. */
  readonly reason: string | null;
}

export interface PageSpectrum {
  readonly rank: number;
  readonly scale: number;
  readonly values: readonly number[];
  readonly norm: number | null;
  readonly energy: number | null;
  readonly entropy: number | null;
  readonly effectiveRank: number | null;
  readonly participation: number | null;
  readonly kurtosis: number | null;
}

export interface PagePopulation {
  readonly count: number;
  readonly pValue: number | null;
  readonly adjusted: number | null;
  readonly reason: string | null;
  readonly rank: number | null;
  readonly statistics: readonly {
    readonly name: string;
    readonly value: number | null;
    readonly robustZ: number | null;
  }[];
}

export interface PageError {
  readonly code: string;
  readonly file: string;
  readonly message: string;
}
