// What holds for any bytes whatever: the law that fuzzing tries to break. Each function returns the first breach, or null.

import { RULES, type RuleId } from '../../../src/rules/rules.ts';
import { atOnce } from '../../../src/runtime/turn.ts';
import { dtypeByName } from '../../../src/scan/dtype.ts';
import type { Format } from '../../../src/scan/format/layout.ts';
import { readShardIndex } from '../../../src/scan/format/safetensors/shard-index.ts';
import { inspectHeader } from '../../../src/scan/inspect/header.ts';
import { checkTemplate } from '../../../src/scan/inspect/template/check.ts';
import { read } from '../specimen/inspected.ts';

interface Said {
  readonly rule: RuleId;
  readonly message: string;
  readonly offset?: number;
}

/** A finding or a layout; offsets inside the file; tensors in order, with unique names, as large as they say. */
export function breachOfReader(format: Format, bytes: Uint8Array): string | null {
  const layout = read(format, bytes);
  const inspection = layout.headerSize === null ? [] : atOnce(inspectHeader(layout));
  const broken = breachOfFindings([...layout.violations, ...inspection], bytes.length);
  if (broken !== null) return broken;
  if (layout.headerSize === null) return layout.violations.length > 0 ? null : 'unreadable without a reason';
  const names = new Set<string>();
  let last = layout.headerSize;
  for (const { name, dtype, shape, count, start, end } of layout.tensors) {
    if (names.has(name)) return `two tensors ${name}`;
    names.add(name);
    if (!(start >= last && end >= start && end <= bytes.length)) return `${name} at ${start}-${end}`;
    last = start;
    if (shape.reduce((a, b) => a * b, 1) !== count) return `${name} has ${count} of ${shape}`;
    const known = dtypeByName(dtype);
    if (known !== undefined && (count / known.blockCount) * known.blockSize !== end - start)
      return `${name} size`;
  }
  return null;
}

/** No shard's name leads out of the folder, and every tensor's shard is in the list. */
export function breachOfIndex(bytes: Uint8Array): string | null {
  const { shards, tensors, violations } = readShardIndex(bytes);
  const known = new Set(shards);
  if (known.size !== shards.length) return 'a shard is listed twice';
  for (const shard of shards) if (/[/\\:\0]|^\.{0,2}$/.test(shard)) return `a shard named ${shard}`;
  for (const [name, { shard, offset }] of tensors) {
    if (!known.has(shard)) return `${name} in ${shard}, which is not listed`;
    if (!(offset >= 0 && offset < bytes.length)) return `${name} at ${offset}`;
  }
  return breachOfFindings(violations, bytes.length);
}

/** Every observation names a rule and a line that the template has. */
export function breachOfTemplate(bytes: Uint8Array): string | null {
  const source = Buffer.from(bytes).toString('utf8');
  const observations = checkTemplate(source);
  const lines = source.split('\n').length;
  for (const { rule, line } of observations)
    if (!(line >= 1 && line <= lines)) return `${rule} in line ${line}`;
  return breachOfFindings(observations, bytes.length);
}

export function breachOfFindings(findings: readonly Said[], size: number): string | null {
  for (const { rule, message, offset } of findings) {
    if (!RULES.has(rule)) return `no rule ${rule}`;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point
    if (/[\x00-\x1f\x7f-\x9f]/.test(message)) return `a message with control characters: ${rule}`;
    if (offset !== undefined && !(offset >= 0 && offset <= size)) return `${rule} at ${offset}`;
  }
  return null;
}
