// What a row of the table of rules says.

export const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** The severities that fail a verdict. */
export const severitiesFrom = (failOn: Severity | 'none'): readonly Severity[] =>
  failOn === 'none' ? [] : SEVERITIES.slice(SEVERITIES.indexOf(failOn));

export interface Rule {
  readonly severity: Severity;
  /** One line: what is wrong. */
  readonly title: string;
  /** What to do about it. */
  readonly hint: string;
  /** What an attacker gains, or what goes wrong without one. */
  readonly why: string;
  /** CVE, section of a specification, OWASP LLM Top 10 (2025), MITRE ATLAS technique; only where one really fits. */
  readonly references?: readonly string[];
}

/** The hint of a file that no loader should see. */
export const MALFORMED = 'do not load the file; get it again from its source and compare digests';

// Written once, so that one thing has one spelling in every report.
export const SAFETENSORS_FORMAT = 'safetensors README, "Format"';
export const GGUF_FORMAT = 'ggml docs/gguf.md, "File Structure"';
export const GGUF_KEYS = 'ggml docs/gguf.md, "Standardized key-value pairs"';
export const SUPPLY_CHAIN = 'OWASP LLM03:2025 Supply Chain';
export const POISONING = 'OWASP LLM04:2025 Data and Model Poisoning';
export const ATLAS_SUPPLY_CHAIN = 'MITRE ATLAS AML.T0010 (supply chain compromise)';
export const ATLAS_UNSAFE_ARTIFACT = 'MITRE ATLAS AML.T0011 (user execution of an unsafe artifact)';
export const ATLAS_MANIPULATED_MODEL = 'MITRE ATLAS AML.T0018 (manipulated model)';
