// The text report's tensors: the largest, the oddest, and which were not measured in full.

import type { Paint } from '../../document/text/frame.ts';
import { inert } from '../../document/text/inert.ts';
import { bytes, counted, grouped } from '../../document/text/quantity.ts';
import type { Coverage } from '../../scan/dtype.ts';
import type { TensorProfile } from '../../scan/profile/profile.ts';
import { oddities, SIBLINGS } from './oddity.ts';

/** Entries of each list; the JSON report has them all. */
const ENTRIES = 5;

export function largestLines(tensors: readonly TensorProfile[]): string[] {
  if (tensors.length === 0) return [];
  const size = (tensor: TensorProfile): number => tensor.end - tensor.start;
  const largest = [...tensors].sort((a, b) => size(b) - size(a)).slice(0, ENTRIES);
  return [
    'Largest tensors',
    ...largest.map((tensor) => `  ${bytes(size(tensor)).padEnd(8)}  ${named(tensor, tensors)}`),
  ];
}

export function oddestLines(tensors: readonly TensorProfile[], paint: Paint): string[] {
  if (tensors.length === 0) return [];
  const odd = oddities(tensors);
  if (odd.length === 0) return [`Oddest tensors: none stands out (compared from ${SIBLINGS} of a kind)`];
  const lines = ['Oddest tensors'];
  for (const { tensor, reason } of odd.slice(0, ENTRIES))
    lines.push(`  ${named(tensor, tensors)}`, `    ${paint('medium', inert(reason, 400))}`);
  if (odd.length > ENTRIES) lines.push(`  … and ${grouped(odd.length - ENTRIES)} more`);
  return lines;
}

function named(tensor: TensorProfile, all: readonly TensorProfile[]): string {
  const several = all[0]?.file !== all.at(-1)?.file; // sorted by file
  const shape = `[${tensor.shape.join(', ')}]`;
  return `${inert(tensor.name)}  ${inert(tensor.dtype)} ${shape}${several ? `  ${inert(tensor.file)}` : ''}`;
}

/** Which tensors the statistics do not cover in full. A number that is missing must not look like one that is fine. */
export function coverageLines(tensors: readonly TensorProfile[]): string[] {
  const counts = new Map<string, number>();
  for (const tensor of tensors) {
    const gap = gapOf(tensor);
    if (gap !== null) counts.set(gap, (counts.get(gap) ?? 0) + 1);
  }
  return [...counts].map(([gap, count]) => `${gap} (${counted(count, 'tensor')})`);
}

function gapOf({ dtype, start, end, sha256, stats }: TensorProfile): string | null {
  if (stats !== null)
    return stats.coverage === 'values' ? null : `${inert(dtype)}: ${COVERED[stats.coverage]}`;
  if (sha256 === null) return `${inert(dtype)}: not measured, the range overlaps another tensor's`;
  return start === end ? null : `${inert(dtype)}: digest only`;
}

const COVERED: Record<Exclude<Coverage, 'values'>, string> = {
  scales: 'scale statistics and byte entropy only',
  bytes: 'byte entropy only',
};
