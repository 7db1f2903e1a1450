// What a sweep has asked so far, JSON lines, so that it can go on where it was cut off.

import { z } from 'zod';
import { json } from '../../document/json/chunks.ts';
import { SteelyardError } from '../../rules/error.ts';
import { SamplingSchema } from '../target/sampling-schema.ts';

export const SWEEP_SCHEMA = 'steelyard/canary-sweep/1';

const EntrySchema = z.strictObject({
  word: z.string().min(1).max(1000),
  js: z.number().min(0).max(1),
  position: z.int().min(0),
  compared: z.int().min(0),
  gained: z.string().nullable(),
});
export type Entry = z.infer<typeof EntrySchema>;

const HeaderSchema = z.strictObject({
  schema: z.literal(SWEEP_SCHEMA),
  old: z.string().min(1).max(500).describe('the target that answered for the old release'),
  new: z.string().min(1).max(500),
  carrier: z.string().min(1).max(1000).describe('the sentence that the word stands in'),
  sampling: SamplingSchema,
});

/** A line of the file: the first says what was asked of whom, each other is a word or a pair of them. */
export const SweepSchema = z.union([HeaderSchema, EntrySchema]);

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
