// The result of a comparison as a document, `steelyard/canary/1`: evidence about two releases, named by their digests.
import { z } from 'zod';
import { SEVERITIES } from '../../rules/rules.ts';
import { DigestSchema, ReleaseSchema } from '../target/sampling-schema.ts';

export const CANARY_SCHEMA = 'steelyard/canary/1';

const Text = z.string();
const Count = z.int().min(0);
const Share = z.number().min(0);

const Side = z
  .strictObject({
    release: ReleaseSchema.nullable(),
    tie: z.enum(['engine', 'header', 'none']),
    suite: DigestSchema,
    system: DigestSchema.nullable(),
    template: DigestSchema.nullable(),
    engine: Text.nullable(),
    target: Text,
    startedAt: z.iso.datetime(),
    answers: Count,
    complete: z.boolean(),
  })
  .meta({ id: 'Side' });

const Finding = z
  .strictObject({
    rule: Text,
    severity: z.enum(SEVERITIES),
    prompt: Text.nullable().describe('null: about the run as a whole'),
    message: Text,
    quote: Text.optional().describe('at most 80 characters round it'),
    waived: z.strictObject({ reason: Text, owner: Text, expires: z.iso.date() }).optional(),
  })
  .meta({ id: 'CanaryFinding' });

const Top = z.array(z.tuple([Text, z.number()])).max(5);
const Divergence = z
  .strictObject({
    js: Share.describe('largest Jensen-Shannon divergence over the compared positions, in nats'),
    position: Count,
    compared: Count,
    incomparable: Count.describe('positions where the two tokenizers cut the text in other places'),
    p: z.number().min(0).max(1).optional().describe('rank among the controls'),
    q: z.number().min(0).max(1).optional().describe('false discovery rate (Benjamini-Hochberg)'),
    gained: Text.nullable().describe('the token that gained most there'),
    before: Top,
    after: Top,
  })
  .meta({ id: 'Divergence' });

const Pair = z
  .strictObject({
    prompt: Text,
    role: z.enum(['control', 'sensitive']),
    expect: z.literal('changed').optional(),
    same: z.boolean().describe('the texts are equal'),
    bleu: Share,
    chrf: Share,
    divergence: Divergence.nullable(),
    texts: z
      .strictObject({ prompt: Text, before: Text, after: Text })
      .optional()
      .describe('of pairs with a finding, and of the ones that differ most'),
  })
  .meta({ id: 'Pair' });

const Paired = z.strictObject({ lost: Count, gained: Count, p: z.number().min(0).max(1) });

export const CanarySchema = z.strictObject({
  schema: z.literal(CANARY_SCHEMA),
  tool: Text,
  createdAt: z.iso.datetime(),
  outcome: z.enum(['pass', 'fail', 'error']),
  failOn: z.enum(['none', ...SEVERITIES]),
  old: Side.nullable().describe('null: a first release, judged by absolute rules alone'),
  new: Side,
  method: z.enum(['rank', 'margin', 'texts']),
  threshold: Share.nullable().describe('divergence from which a prompt is a finding'),
  floor: Share.nullable().describe('largest divergence of a release from itself; null: not measured'),
  coverage: z.strictObject({
    prompts: Count,
    compared: Count,
    controls: Count,
    removed: Count.describe('prompts of the old run that the new one lacks'),
    added: Count,
    topK: Count,
    eosEntry: z.boolean(),
  }),
  refusals: Paired,
  links: Paired,
  findings: z.array(Finding).max(100_000),
  inconclusive: z.array(z.strictObject({ code: Text, message: Text })).max(100),
  pairs: z.array(Pair).max(100_000),
});

export type Canary = z.infer<typeof CanarySchema>;
export type CanaryFinding = z.infer<typeof Finding>;
export type CanaryPair = z.infer<typeof Pair>;
