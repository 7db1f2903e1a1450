// A file in memory, read and inspected as a scan would, with the slow twin instead of the native pass.

import type { RuleId, Severity } from '../../../src/rules/rules.ts';
import { RULES } from '../../../src/rules/rules.ts';
import { atOnce, unhurried } from '../../../src/runtime/turn.ts';
import { dtypeByName } from '../../../src/scan/dtype.ts';
import { readLayout } from '../../../src/scan/format/format.ts';
import type { ByteSource, Format, Layout, Unreadable } from '../../../src/scan/format/layout.ts';
import { inspectHeader } from '../../../src/scan/inspect/header.ts';
import { inspectValues } from '../../../src/scan/inspect/values/values.ts';
import type { TensorProfile } from '../../../src/scan/profile/profile.ts';
import { referenceStats } from '../reference/stats.ts';

export interface Broken {
  readonly rule: RuleId;
  readonly message: string;
  readonly offset?: number;
  readonly tensor?: string;
}

/** Everything that is wrong with a file taken for itself. */
export function inspected(format: Format, bytes: Uint8Array): Broken[] {
  const layout = atOnce(readLayout(format, memory(bytes)));
  return layout.headerSize === null
    ? [...layout.violations]
    : [...layout.violations, ...atOnce(inspectHeader(layout)), ...valuesOf(layout, bytes)];
}

export const ruleSet = (broken: readonly Broken[]): string[] =>
  [...new Set(broken.map(({ rule }) => rule))].sort();
export const severityOf = (rule: RuleId): Severity => RULES.get(rule)!.severity;

const MEASURED_MAX = 1_000_000; // the twin is slow; no vector needs more

function valuesOf({ tensors }: Layout, bytes: Uint8Array): Broken[] {
  const profiles = tensors.map(({ name, dtype, shape, count, start, end }): TensorProfile => {
    const known = count > 0 && dtypeByName(dtype) !== undefined && end - start <= MEASURED_MAX;
    const stats = known ? referenceStats(bytes.subarray(start, end), dtype) : null;
    return { name, file: '', dtype, shape, start, end, sha256: null, stats };
  });
  return inspectValues({ files: [], tensors: profiles }, unhurried);
}

/** A source that, like the real one, cannot read outside its file: a reader that tries throws, and the test fails. */
export function memory(bytes: Uint8Array, size: number = bytes.length): ByteSource & { total: number } {
  return {
    size,
    total: 0,
    read(start, count) {
      if (start < 0 || count < 0 || start + count > size)
        throw new RangeError(`read ${start}+${count} of ${size}`);
      this.total += count;
      const out = new Uint8Array(count);
      out.set(bytes.subarray(start, start + count));
      return out;
    },
  };
}

export const read = (format: Format, bytes: Uint8Array): Layout | Unreadable =>
  atOnce(readLayout(format, memory(bytes)));
