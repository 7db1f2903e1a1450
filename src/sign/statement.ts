// in-toto Statement v1: whose digest, what kind of claim, the claim. Fields that are not known are ignored, as the
// framework asks of consumers; fields that are known must be right.
import * as z from 'zod';
import { readJson } from './document.ts';
import { refuse } from './refusal.ts';

const STATEMENT = 'https://in-toto.io/Statement/v1';

export interface Subject {
  readonly name: string;
  readonly digest: { readonly sha256: string };
}

export interface Statement {
  readonly subject: readonly Subject[];
  readonly predicateType: string;
  readonly predicate: unknown;
}

const HEX = z.string().regex(/^[0-9a-f]{64}$/);

const schema = z.object({
  _type: z.literal(STATEMENT),
  subject: z.array(z.object({ name: z.string().optional(), digest: z.object({ sha256: HEX }) })).min(1),
  predicateType: z.string().min(1),
  predicate: z.unknown().optional(),
});

export function writeStatement(
  subject: readonly Subject[],
  predicateType: string,
  predicate: object,
): Buffer {
  return Buffer.from(JSON.stringify({ _type: STATEMENT, subject, predicateType, predicate }));
}

/** The statement in a payload whose signature was checked. Refuses with MALFORMED_BUNDLE. */
export function readStatement(payload: Uint8Array): Statement {
  const { subject, predicateType, predicate } = checked(schema, readJson(payload, 'statement'), 'statement');
  return {
    subject: subject.map(({ name, digest }) => ({ name: name ?? '', digest })),
    predicateType,
    predicate,
  };
}

/** The value as the schema describes it, or a refusal that names the first field that is not. */
export function checked<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue!.path.join('.');
  const where = path === '' ? what : `${what}'s ${path}`;
  return refuse('MALFORMED_BUNDLE', `the ${where} is not as it must be: ${issue!.message.slice(0, 200)}`);
}
