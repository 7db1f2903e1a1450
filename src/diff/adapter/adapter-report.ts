// What two low-rank adapters are to each other, and an adapter to a population of known-good ones.

export interface AdapterDiff {
  readonly good: AdapterSummary;
  readonly suspect: AdapterSummary;
  /** In the suspect's order. */
  readonly modules: readonly ModuleDiff[];
  readonly population: PopulationRank | null;
}

export interface AdapterSummary {
  /** null: not all modules have the same. */
  readonly rank: number | null;
  /** What was applied; 'none' where no configuration or alpha was found; 'scale': MLX's own; 'unknown': it could not be read. */
  readonly scaling: 'alpha/r' | 'alpha/sqrt(r)' | 'scale' | 'none' | 'unknown';
  readonly modules: number;
  /** Frobenius norm of all updates together. */
  readonly norm: number;
  /** Of the energy of all updates together, by layer; modules outside of layers are left out. */
  readonly layers: readonly { readonly layer: number; readonly share: number }[];
}

/**
 * ΔW = s·B·A of one module; singular values through QR of both factors (Hu et al. 2021, section 7, for the overlaps). DoRA's
 * magnitude is no part of it: that is a tensor of its own, and among the tensors of the diff.
 */
export interface ModuleDiff {
  readonly module: string;
  readonly layer: number | null;
  readonly good: ModuleSpectrum | null;
  readonly suspect: ModuleSpectrum | null;
  readonly pair: {
    /** ‖ΔW₂ − ΔW₁‖, and the same over ‖ΔW₁‖ (null where that is 0). */
    readonly norm: number;
    readonly relativeNorm: number | null;
    readonly cosine: number | null;
    /** Of the difference, the largest first. */
    readonly singularValues: readonly number[];
    /** ‖U₁ᵀU₂‖² / min(r₁, r₂) of the left and right singular vectors; r: as many as are not rounding. */
    readonly overlap: { readonly left: number; readonly right: number };
    /** 1 − ‖P_U ΔW₂ P_V‖² / ‖ΔW₂‖², P onto the good one's vectors that hold 95 % of its energy. */
    readonly novelEnergy: number | null;
  } | null;
  /** Why a spectrum that should be there is not. */
  readonly reason: string | null;
}

export interface ModuleSpectrum {
  readonly rank: number;
  readonly scale: number;
  readonly shape: readonly [number, number];
  readonly singularValues: readonly number[];
  readonly norm: number;
  /** σ₁² / Σσ². */
  readonly energy: number | null;
  /** −Σp ln p / ln r with p = σ / Σσ; e^H; (Σσ)² / Σσ². */
  readonly entropy: number | null;
  readonly effectiveRank: number | null;
  readonly participation: number | null;
  /** Pearson, of the entries of BA. */
  readonly kurtosis: number | null;
}

export interface PopulationRank {
  /** Known-good adapters. */
  readonly count: number;
  /** Conformal, (1 + #{known-good at least as odd}) / (count + 1). null: not exchangeable or too few; `reason` says why. */
  readonly pValue: number | null;
  /** Of several suspects: Benjamini-Hochberg over them. */
  readonly adjusted: number | null;
  readonly reason: string | null;
  /** Among count + 1, 1 being the oddest; null: they cannot be ranked with each other. */
  readonly rank: number | null;
  readonly statistics: readonly {
    readonly name: string;
    readonly value: number;
    /** 0.6745 (x − median) / MAD, with the floors of the definition. */
    readonly robustZ: number;
  }[];
}
