// in-toto Statement v1: whose digest, what kind of claim, the claim. Fields that are not known are ignored, as the
// framework asks of consumers; fields that are known must be right.
import { anything, list, matching, oneOf, openObject, optional, text } from '../../../document/check.ts';
import { accepted, type StatementJson, statementSchema } from '../bundle/bundle-schema.ts';
import { readJson } from '../bundle/encoding.ts';
import { refuse } from '../refusal.ts';

const STATEMENT = 'https://in-toto.io/Statement/v1';
/** What cosign 2 and 3 write around attestations. The fields are the same; statements of ours were never written so. */
const STATEMENT_0_1 = 'https://in-toto.io/Statement/v0.1';
const OURS = /^(urn:steelyard:|https:\/\/model_signing\/)/;

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
  _type: oneOf(STATEMENT, STATEMENT_0_1),
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
  const statement = accepted(isStatement, statementSchema, json, 'statement');
  const { subject, predicateType, predicate } = statement;
  if (statement._type !== STATEMENT && OURS.test(predicateType))
    refuse('MALFORMED_BUNDLE', 'the statement is of version 0.1, which its kind was never written in');
  return {
    subject: subject.map(({ name, digest }) => ({ name: name ?? '', digest })),
    predicateType,
    predicate,
  };
}
