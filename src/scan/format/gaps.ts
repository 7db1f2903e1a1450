// Whether the tensors cover the data section: no byte twice, none unreferenced. A byte that no tensor claims is room for a
// payload that every loader ignores (an appended ZIP makes a polyglot); a byte claimed twice is two models in one file.

import { quoted, type Violations } from '../../document/violations.ts';
import { HiddenBytes } from './disguise/hidden.ts';
import type { ByteSource } from './layout.ts';

export interface Span {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

interface DataSection {
  readonly start: number;
  /** Tensors start on multiples of this from the section's start; the bytes in between are padding. */
  readonly alignment: number;
  /** false: the place of some tensor is unknown, so what looks unreferenced may be its. */
  readonly complete: boolean;
}

// A gap of more than this needs an alignment that is reported for itself.
const MAX_PADDING_READ = 65_536;

export const bySpan = (a: Span, b: Span): number => a.start - b.start || a.end - b.end;

export const aligned = (size: number, alignment: number): number =>
  size + ((alignment - (size % alignment)) % alignment);

/** @param spans sorted with bySpan, each inside the file. */
export function checkCoverage(
  spans: readonly Span[],
  section: DataSection,
  source: ByteSource,
  violations: Violations,
): void {
  const padded = (end: number): number => section.start + aligned(end - section.start, section.alignment);
  const hidden = new HiddenBytes(source, violations);
  let reach = section.start;
  let owner = '';
  for (const span of spans) {
    if (span.start < reach) {
      violations.report(
        'data/overlap',
        `tensor ${quoted(span.name)} shares bytes with tensor ${quoted(owner)}`,
        {
          offset: span.start,
          tensor: span.name,
          expected: `start at ${reach} or later`,
          actual: String(span.start),
        },
      );
    } else {
      const due = padded(reach);
      if (span.start > due && section.complete) {
        const message = `${span.start - due} bytes before tensor ${quoted(span.name)} belong to no tensor`;
        hidden.report('data/hole', due, span.start, message, {
          offset: due,
          tensor: span.name,
          expected: String(due),
          actual: String(span.start),
        });
      }
      checkPadding(reach, Math.min(due, span.start), source, hidden);
    }
    if (span.end > reach) {
      reach = span.end;
      owner = span.name;
    }
  }
  if (!section.complete) return;
  // Writers pad the last tensor too; a file may end anywhere inside that padding.
  const due = Math.min(padded(reach), source.size);
  checkPadding(reach, due, source, hidden);
  if (source.size > due) {
    const message = `${source.size - due} bytes follow the last tensor`;
    hidden.report('data/trailing-bytes', due, source.size, message, {
      offset: due,
      expected: `file size ${due}`,
      actual: `file size ${source.size}`,
    });
  }
}

/** Padding that is not zero carries something. */
export function checkPadding(start: number, end: number, source: ByteSource, hidden: HiddenBytes): void {
  if (end <= start) return;
  const size = Math.min(end - start, MAX_PADDING_READ);
  const at = source.read(start, size).findIndex((byte) => byte !== 0);
  if (at < 0) return;
  const message = `the ${end - start} padding bytes from ${start} are not all zero`;
  hidden.report('data/padding', start + at, end, message, { offset: start + at, expected: '0x00' });
}
