// What readers make of evidence: facts that a control can decide on, whatever tool wrote them.

/** What a document says it is about. */
export interface ImageNames {
  /** Digests of manifests and indexes. */
  readonly digests: readonly string[];
  /** Digest of the image's configuration, which one platform has. */
  readonly config: string | null;
}

export type Severity = 'unknown' | 'negligible' | 'low' | 'medium' | 'high' | 'critical';

export interface Vulnerability {
  readonly id: string;
  /** Other names of the same one. */
  readonly aliases: readonly string[];
  /** A package URL where the tool gave one, else name@version; null: the format names no package. */
  readonly package: string | null;
  readonly severity: Severity;
  readonly fixed: string | null;
  /** What the tool itself left out of its list, and why: it counts all the same. */
  readonly suppressed: string | null;
}

export interface VulnerabilityReport {
  readonly names: ImageNames;
  /** Milliseconds; null: none is given. */
  readonly time: number | null;
  readonly database: number | null;
  /** Which release of the scanner, to find the date of its database by. */
  readonly version: string | null;
  readonly vulnerabilities: readonly Vulnerability[];
  /** Package URLs that were looked at, as far as the report lists them. */
  readonly packages: readonly string[];
  /** null: something was looked at; else why nothing was. */
  readonly empty: string | null;
}

export interface Sbom {
  readonly names: ImageNames;
  readonly time: number | null;
  /** Package URLs, besides the image's own. */
  readonly packages: readonly string[];
  /** Components and packages without a package URL are among them. */
  readonly count: number;
}

export interface Exception {
  readonly vulnerability: readonly string[];
  /** Digests of images that it speaks of. */
  readonly images: readonly string[];
  /** Package URLs in them; empty: any. */
  readonly packages: readonly string[];
  readonly status: 'not_affected' | 'fixed' | 'affected' | 'under_investigation';
  readonly reason: string;
  /** Of the statement, in milliseconds; null: none. */
  readonly time: number | null;
}

export interface Metric {
  readonly name: string;
  readonly comparator: '>=' | '<=' | '>' | '<' | '==';
  readonly threshold: number;
  readonly value: number;
  readonly baseline: number | null;
}

export interface TestResult {
  readonly result: 'PASSED' | 'WARNED' | 'FAILED';
  /** `sha256:…` of what the tests were configured by. */
  readonly configuration: readonly string[];
  readonly passed: readonly string[];
  readonly warned: readonly string[];
  readonly failed: readonly string[];
  readonly time: number | null;
  readonly metrics: readonly Metric[];
  /** The release that the numbers are compared with. */
  readonly baseline: string | null;
}

export interface Build {
  readonly builder: string;
  readonly time: number | null;
  /** What it was built from: parameters that are URIs, and dependencies. */
  readonly sources: readonly string[];
}
