// A run as a document, `steelyard/canary-run/1`: JSON lines. The first says who was asked and how, the last that nothing is missing,
// and each between them is one answer. Lines are many and long, so predicates look at them, and zod makes their JSON Schema.
import { z } from 'zod';
import { list, nullable, object, oneOf, optional, text } from '../../document/check.ts';
import { FINISHES } from '../target/question.ts';
import { DigestSchema, ReleaseSchema, SamplingSchema, TokenSchema } from '../target/sampling-schema.ts';
import type { Answer, Claims, Token } from '../target/target.ts';

export const RUN_SCHEMA = 'steelyard/canary-run/1';
const STATUSES = ['ok', 'filtered', 'error', 'timeout'] as const;
const Text = z.string();
const Count = z.int().min(0);

export const RunHeaderSchema = z
  .strictObject({
    schema: z.literal(RUN_SCHEMA),
    tool: z.string(),
    startedAt: z.iso.datetime(),
    suite: DigestSchema,
    system: DigestSchema.nullable(),
    release: ReleaseSchema.nullable(),
    hashed: z
      .boolean()
      .describe("the engine of this process loaded the release's files, and they were hashed here"),
    target: z.string().describe('host and port'),
    engine: z.string().max(500).nullable(),
    template: DigestSchema.nullable().describe('of the chat template, where the target shows it'),
    capabilities: z.strictObject({
      logprobs: z.boolean(),
      topK: Count,
      eosEntry: z.boolean().nullable().describe('the end of the answer has an entry; null: no answer ended'),
      seed: z.boolean().describe('the same seed gives the same answer'),
    }),
    sampling: SamplingSchema,
    store: z.enum(['redacted', 'full']),
    repeat: z.int().min(1).max(1000),
    prompts: Count,
  })
  .meta({ id: 'RunHeader' });

export type RunHeader = z.infer<typeof RunHeaderSchema>;

const LinkFact = z.strictObject({
  host: Text,
  raw: Text,
  image: z.boolean(),
  disguised: z.boolean(),
  allowed: z.boolean(),
});
const FactsSchema = z
  .strictObject({
    links: z.array(LinkFact),
    secrets: z.array(Text),
    personal: z.array(Text),
    refusal: z.boolean(),
    invisible: Count,
    scripts: z.array(Text),
    tools: z.array(Text),
    missing: z.array(Text).describe('what the answer must hold and does not'),
    forbidden: z.array(Text).describe('what the answer must not hold and does'),
  })
  .meta({ id: 'Facts' });
export type Facts = z.infer<typeof FactsSchema>;

const ClaimsSchema = z.strictObject({
  model: Text.optional(),
  bom: Text.optional(),
  adapter: Text.optional(),
});
export const RunAnswerSchema = z
  .strictObject({
    id: Text,
    repeat: z.int().min(1),
    role: z.literal('control').optional(),
    intent: Text.optional(),
    expect: z.literal('changed').optional(),
    prompt: Text,
    status: z.enum(STATUSES),
    error: Text.optional(),
    text: Text,
    reasoning: Text.nullable(),
    finish: z.enum(FINISHES),
    tokens: z.array(TokenSchema).nullable(),
    toolCalls: z.array(Text),
    facts: FactsSchema,
    claims: ClaimsSchema,
    engine: Text.nullable(),
    ms: Count,
    attempts: Count,
  })
  .meta({ id: 'RunAnswer' });

export const RunEndSchema = z
  .strictObject({ end: z.literal(true), asked: Count, answered: Count, failed: Count })
  .meta({ id: 'RunEnd' });
export type RunEnd = z.infer<typeof RunEndSchema>;

/** One line of a run; the three forms. */
export const RunSchema = z.union([RunHeaderSchema, RunAnswerSchema, RunEndSchema]);

export interface RunAnswer extends Omit<Answer, 'claims'> {
  readonly id: string;
  readonly repeat: number;
  readonly role?: 'control' | undefined;
  readonly intent?: string | undefined;
  readonly expect?: 'changed' | undefined;
  readonly prompt: string;
  readonly status: (typeof STATUSES)[number];
  readonly error?: string | undefined;
  readonly facts: Facts;
  readonly claims: Claims;
}

const flag = oneOf(true, false);
const count = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const logprob = (value: unknown): boolean => typeof value === 'number' && value <= 0 && value >= -9999;
const isPair = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && logprob(value[1]);
const isToken = (value: unknown): value is Token =>
  Array.isArray(value) &&
  value.length === 3 &&
  typeof value[0] === 'string' &&
  logprob(value[1]) &&
  list(isPair, 0, 64)(value[2]);
const texts = list(text);

const isFacts = object<Facts>({
  links: list(
    object<Facts['links'][number]>({ host: text, raw: text, image: flag, disguised: flag, allowed: flag }),
  ),
  secrets: texts,
  personal: texts,
  refusal: flag,
  invisible: count,
  scripts: texts,
  tools: texts,
  missing: texts,
  forbidden: texts,
});

/** As `RunAnswerSchema` says it. */
export const isRunAnswer = object<RunAnswer>({
  id: text,
  repeat: (value) => count(value) && value !== 0,
  role: optional(oneOf('control')),
  intent: optional(text),
  expect: optional(oneOf('changed')),
  prompt: text,
  status: oneOf(...STATUSES),
  error: optional(text),
  text,
  reasoning: nullable(text),
  finish: oneOf(...FINISHES),
  tokens: nullable(list(isToken)),
  toolCalls: texts,
  facts: isFacts,
  claims: object<Claims>({ model: optional(text), bom: optional(text), adapter: optional(text) }),
  engine: nullable(text),
  ms: count,
  attempts: count,
});
