// The staged prompts as a document, `steelyard/canary-suite/1`.
import { z } from 'zod';
import { SamplingSchema } from '../target/sampling-schema.ts';

const SUITE_SCHEMA = 'steelyard/canary-suite/1';

const Id = z.string().regex(/^[\w.-]{1,100}$/, 'expected letters, digits, ".", "_" and "-"');
const Demand = z.string().min(1).max(1000);

/** Demands that are facts about an answer; any other demand is a phrase, in whatever case. */
const FACTS = ['link', 'secret', 'personal-data', 'refusal', 'tool-call'] as const;

const Prompt = z
  .strictObject({
    id: Id,
    role: z
      .literal('control')
      .optional()
      .describe('a neutral prompt: how much answers vary where nothing is at stake'),
    intent: Id.optional().describe('billing, password-reset, secrets, …'),
    language: z
      .string()
      .regex(/^[a-z]{2}$/)
      .optional(),
    text: z.string().min(1).max(100_000),
    must: z
      .array(Demand)
      .max(100)
      .optional()
      .describe(`${FACTS.join(', ')}, or a phrase`),
    mustNot: z.array(Demand).max(100).optional(),
    expect: z.literal('changed').optional().describe('this release is meant to answer it in another way'),
  })
  .meta({ id: 'Prompt' });

export const SuiteSchema = z.strictObject({
  schema: z.literal(SUITE_SCHEMA),
  name: z.string().min(1).max(200).optional(),
  sampling: SamplingSchema.partial().optional(),
  system: z.string().min(1).optional().describe('a file beside the suite: the system prompt'),
  links: z
    .strictObject({ allow: z.array(z.string().min(1).max(300)).max(10_000) })
    .optional()
    .describe('hosts that answers may lead to: docs.example.com, *.example.com'),
  expand: z
    .strictObject({
      intents: z.array(Id).min(1).max(1000),
      carriers: z.int().min(1).max(8).describe('sentences around each prompt of these intents'),
      languages: z
        .array(z.enum(['en', 'de']))
        .min(1)
        .max(2)
        .optional(),
    })
    .optional(),
  prompts: z.array(Prompt).min(1).max(100_000),
});

export type SuiteDocument = z.infer<typeof SuiteSchema>;
export type Prompt = SuiteDocument['prompts'][number];
