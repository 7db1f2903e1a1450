// What a sweep has asked so far, JSON lines, so that it can go on where it was cut off.

import { z } from 'zod';
import { json } from '../../document/json/chunks.ts';
import { SteelyardError } from '../../rules/error.ts';

export const SWEEP_SCHEMA = 'steelyard/canary-sweep/1';

const EntrySchema = z.strictObject({
  word: z.string().min(1).max(1000),
  js: z.number().min(0).max(1),
  position: z.int().min(0),
  compared: z.int().min(0),
  gained: z.string().nullable(),
});
export type Entry = z.infer<typeof EntrySchema>;

/** @returns also where the last whole line ends. Throws USAGE for a file of another sweep, INVALID_DOCUMENT. */
export function parseEntries(bytes: Buffer, header: object, path: string): { entries: Entry[]; end: number } {
  const end = bytes.lastIndexOf(10) + 1;
  const [first = '', ...lines] = bytes.toString('utf8', 0, end).split('\n').slice(0, -1);
  if (first !== json(header))
    throw new SteelyardError('USAGE', `${path} is a sweep of other targets, or none`, { file: path });
  const entries = lines.map((line, i) => {
    const entry = EntrySchema.safeParse(parsed(line));
    if (entry.success) return entry.data;
    throw new SteelyardError('INVALID_DOCUMENT', `${path}:${i + 2}: this line is no word of a sweep`, {
      file: path,
    });
  });
  return { entries, end };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
