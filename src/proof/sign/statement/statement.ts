// in-toto Statement v1: whose digest, what kind of claim, the claim. Fields that are not known are ignored, as the
// framework asks of consumers; fields that are known must be right.
import { anything, list, matching, oneOf, openObject, optional, text } from '../../../document/check.ts';
import { accepted, type StatementJson, statementSchema } from '../bundle/bundle-schema.ts';
import { readJson } from '../bundle/encoding.ts';

const STATEMENT = 'https://in-toto.io/Statement/v1';

interface Subject {
  readonly name: string;
  readonly digest: { readonly sha256: string };
}

export interface Statement {
  readonly subject: readonly Subject[];
  readonly predicateType: string;
  readonly predicate: unknown;
}

/** As `statementSchema` says it. */
export const isStatement = openObject<StatementJson>({
  _type: oneOf(STATEMENT),
  subject: list(
    openObject({ name: optional(text), digest: openObject({ sha256: matching(/^[0-9a-f]{64}$/) }) }),
    1,
  ),
  predicateType: matching(/./s),
  predicate: anything,
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
  const json = readJson(payload, 'statement');
  const { subject, predicateType, predicate } = accepted(isStatement, statementSchema, json, 'statement');
  return {
    subject: subject.map(({ name, digest }) => ({ name: name ?? '', digest })),
    predicateType,
    predicate,
  };
}
