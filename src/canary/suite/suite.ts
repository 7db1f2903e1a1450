// The text of a suite → the prompts to be asked, each with what its answer must hold. The door of this room.
import { createHash } from 'node:crypto';
import { readYaml } from '../../document/yaml.ts';
import { SteelyardError } from '../../rules/error.ts';
import type { Sampling } from '../target/target.ts';
import { expanded } from './carrier.ts';
import { type Prompt, SuiteSchema } from './suite-schema.ts';

export type { Prompt } from './suite-schema.ts';

export interface Suite {
  /** SHA-256 of the document's bytes. */
  readonly digest: string;
  /** The system prompt's text and digest. */
  readonly system: { readonly text: string; readonly digest: string } | null;
  readonly sampling: Sampling;
  readonly allow: readonly string[];
  readonly prompts: readonly Prompt[];
}

const SIZE = 16 * 2 ** 20;
const SAMPLING: Sampling = { temperature: 0, seed: 1, maxTokens: 128, topLogprobs: 20 };

/**
 * Reads a suite, YAML or JSON.
 *
 * @param name what messages call it. @param readSystem reads the file that `system` names.
 * @throws SteelyardError INVALID_DOCUMENT with line and column.
 */
export function parseSuite(bytes: Uint8Array, name: string, readSystem: (path: string) => Uint8Array): Suite {
  const failure = (place: string | null, reason: string, cause?: unknown): SteelyardError =>
    new SteelyardError('INVALID_DOCUMENT', `${name}${place === null ? '' : `:${place}`}: ${reason}`, {
      cause,
    });
  const yaml = readYaml(bytes, { size: SIZE, scalars: 'typed', failure });
  const parsed = SuiteSchema.safeParse(yaml.data);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue!.path.length === 0 ? '' : `${issue!.path.map(String).join('.')}: `;
    throw failure(yaml.placeOf(issue!.path), `${where}${issue!.message}`);
  }
  const { system, sampling, links, prompts, expand } = parsed.data;
  const all = expanded(prompts, expand);
  const seen = new Set<string>();
  for (const [i, { id }] of all.entries()) {
    if (seen.has(id)) throw failure(yaml.placeOf(['prompts', i]), `two prompts are called ${id}`);
    seen.add(id);
  }
  const text = system === undefined ? null : Buffer.from(readSystem(system));
  return {
    digest: digestOf(bytes),
    system: text === null ? null : { text: text.toString('utf8'), digest: digestOf(text) },
    sampling: { ...SAMPLING, ...defined(sampling ?? {}) },
    allow: links?.allow ?? [],
    prompts: all,
  };
}

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const defined = (partial: Partial<Record<keyof Sampling, number | undefined>>): Partial<Sampling> =>
  Object.fromEntries(Object.entries(partial).filter(([, value]) => value !== undefined));
