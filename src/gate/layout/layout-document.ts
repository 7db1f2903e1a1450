// A layout as its owner writes it, before it is signed: steps, who may do them, rules.
import * as z from 'zod';
import { readYaml } from '../../document/yaml.ts';
import { readPublicKey } from '../../proof/sign/signer/key.ts';
import { SteelyardError } from '../../rules/error.ts';
import { readForeign } from '../claim/foreign.ts';
import { settled } from '../verdict/denial.ts';
import { isClosed, readRule } from './artifact-rule.ts';
import type { LayoutText } from './layout-writing.ts';

const rule = z.union([z.string().min(1), z.array(z.string()).min(2)]);
const schema = z.strictObject({
  expires: z.iso.datetime(),
  readme: z.string().default(''),
  steps: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'a short name of letters, digits, . _ -'),
        functionaries: z.array(z.string().min(1)).min(1),
        threshold: z.number().int().min(1).default(1),
        command: z.array(z.string()).default([]),
        materials: z.array(rule),
        products: z.array(rule),
      }),
    )
    .min(1),
});

const MAX = 4 * 2 ** 20;

/**
 * @param load a public key by the path that stands in the document.
 * @throws SteelyardError INVALID_POLICY with line and column; USAGE: a key cannot be read.
 */
export function readLayoutDocument(bytes: Buffer, file: string, load: (path: string) => Buffer): LayoutText {
  const failure = (place: string | null, reason: string, cause?: unknown): SteelyardError =>
    new SteelyardError(
      'INVALID_POLICY',
      `${file}${place === null ? '' : `:${place}`}: ${reason.slice(0, 300)}`,
      { cause },
    );
  const source = readYaml(bytes, { size: MAX, scalars: 'typed', failure });
  const result = schema.safeParse(source.data);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw failure(source.placeOf(issue!.path), `${issue!.path.join('.')}: ${issue!.message}`);
  }
  const { steps, ...rest } = result.data;
  return {
    ...rest,
    steps: steps.map(({ functionaries, threshold, ...step }, index) => {
      if (threshold > functionaries.length)
        throw failure(
          source.placeOf(['steps', index]),
          `${threshold} of ${functionaries.length} functionaries can never sign`,
        );
      const rules = (name: 'materials' | 'products') =>
        closed(step[name].map(wordsOf), (reason) => failure(source.placeOf(['steps', index, name]), reason));
      return {
        ...step,
        threshold,
        functionaries: functionaries.map((path) => readPublicKey(load(path))),
        materials: rules('materials'),
        products: rules('products'),
      };
    }),
  };
}

const wordsOf = (text: string | readonly string[]): readonly string[] =>
  typeof text === 'string' ? text.trim().split(/\s+/) : text;

/** What in-toto would take and the gate refuses is refused before it is signed. */
function closed(
  rules: readonly (readonly string[])[],
  failure: (reason: string) => Error,
): readonly (readonly string[])[] {
  const read = settled(() =>
    readForeign(Buffer.from(JSON.stringify(rules)), 'MALFORMED_LAYOUT')
      .list()
      .map(readRule),
  );
  if (read.denials !== undefined) throw failure(read.denials[0].message);
  if (!isClosed(read.value)) throw failure('the rules must end with DISALLOW *');
  return rules;
}
