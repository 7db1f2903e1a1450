// What strangers write and canaries read: answers, streams, suites, fingerprints, sweeps. A mutant is read or refused, and
// never anything else. STEELYARD_RUNS is how many mutants of each; the ordinary test has 10,000.
import fc from 'fast-check';
import t from 'tap';
import { parseFingerprint, parseSuite } from '../../src/canary/canary.ts';
import { parseEntries, SweepSchema } from '../../src/canary/sweep/sweep-file.ts';
import { readAnswer } from '../../src/canary/target/answer.ts';
import { joinStream } from '../../src/canary/target/stream.ts';
import { SteelyardError } from '../../src/rules/error.ts';
import { mutants } from '../kit/fuzz/mutant.ts';

t.setTimeout(600_000);

const RUNS = Number(process.env.STEELYARD_RUNS ?? 10_000);
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

const entry = (token: string, logprob: number) => ({ token, logprob, bytes: [65] });
const ANSWER = {
  id: 'x',
  system_fingerprint: 'b1',
  choices: [
    {
      index: 0,
      finish_reason: 'stop',
      message: {
        role: 'assistant',
        content: 'You can see it.',
        reasoning_content: null,
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'pay', arguments: '{"a":1}' } }],
      },
      logprobs: {
        content: [{ ...entry('You', -0.1), top_logprobs: [entry('You', -0.1), entry('We', -2.5)] }],
      },
    },
  ],
};
const chunk = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ system_fingerprint: 'b1', choices: [{ index: 0, delta, finish_reason: finish, logprobs: { content: [{ ...entry('You', -0.1), top_logprobs: [entry('We', -2)] }] } }] })}\n\n`;
const STREAM = `: a comment\n\n${chunk({ role: 'assistant', content: 'You ' })}${chunk({ content: 'can', tool_calls: [{ index: 0, function: { name: 'pay', arguments: '{' } }] })}${chunk({}, 'stop')}data: [DONE]\n\n`;
const SUITE = `schema: steelyard/canary-suite/1
name: support
system: system.txt
sampling: {temperature: 0, maxTokens: 64}
links: {allow: ['docs.example.com', '*.example.com']}
expand: {intents: [billing], carriers: 3}
prompts:
  - {id: billing-1, intent: billing, language: en, text: "Where is my invoice?", must: [link], mustNot: [secret, 'call us']}
  - {id: c1, role: control, text: Hello, expect: changed}
`;
const HEADER = {
  schema: 'steelyard/canary-sweep/1',
  old: 'a',
  new: 'b',
  carrier: 'tell me about {}',
  sampling: { temperature: 0, seed: 1, maxTokens: 32, topLogprobs: 20 },
};
const SWEEP = [HEADER, { word: 'billing', js: 0.25, position: 3, compared: 9, gained: ' Join' }]
  .map((line) => `${JSON.stringify(line)}\n`)
  .join('');
const digest = `sha256:${'a'.repeat(64)}`;
const FINGERPRINT = {
  schema: 'steelyard/fingerprint/1',
  release: { bom: digest, model: digest },
  tie: 'header',
  engine: 'llama.cpp',
  sampling: HEADER.sampling,
  floor: 0,
  takenAt: '2026-11-30T12:00:00.000Z',
  answers: [{ prompt: 'Hello', tokens: [['You', -0.1, [['You', -0.1]]]] }],
};

const refusals: Readonly<Record<string, readonly string[]>> = {
  answer: ['IO'],
  stream: ['IO'],
  suite: ['INVALID_DOCUMENT', 'LIMIT'],
  fingerprint: ['INVALID_DOCUMENT', 'LIMIT'],
  sweep: ['USAGE', 'INVALID_DOCUMENT'],
};
const answered = (value: unknown): boolean => {
  const { text, tokens, finish } = readAnswer(value);
  return (
    typeof text === 'string' &&
    finish.length > 0 &&
    (tokens ?? []).every(([, own, others]) => own <= 0 && others.every(([, one]) => one <= 0))
  );
};
const READERS: Readonly<Record<string, readonly [sample: Buffer, read: (bytes: Buffer) => boolean]>> = {
  answer: [json(ANSWER), (bytes) => answered(parsed(bytes))],
  stream: [Buffer.from(STREAM), (bytes) => answered(joinStream(bytes.toString('utf8')))],
  suite: [
    Buffer.from(SUITE),
    (bytes) => {
      const { prompts } = parseSuite(bytes, 'suite', () => Buffer.from('Be kind.'));
      return new Set(prompts.map(({ id }) => id)).size === prompts.length;
    },
  ],
  fingerprint: [json(FINGERPRINT), (bytes) => parseFingerprint(bytes).answers.length > 0],
  sweep: [
    Buffer.from(SWEEP),
    (bytes) => {
      const { entries, end } = parseEntries(bytes, HEADER, 'sweep');
      return end <= bytes.length && entries.every(({ js }) => js >= 0 && js <= 1);
    },
  ],
};

/** As a target's body is read: what is no JSON is refused before. */
function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
}

for (const [name, [sample, read]] of Object.entries(READERS))
  t.test(name, (t) => {
    t.ok(read(sample), 'the sample itself is read');
    let [taken, refused] = [0, 0];
    fc.assert(
      fc.property(mutants([sample]), (mutant) => {
        try {
          taken++;
          return read(mutant);
        } catch (error) {
          refused++;
          return error instanceof SteelyardError && refusals[name]!.includes(error.code);
        }
      }),
      { numRuns: RUNS },
    );
    t.comment(`${taken - refused} read, ${refused} refused`);
    t.ok(refused > 0 && taken > refused);
    t.end();
  });

t.test('each line of a sweep keeps its schema', (t) => {
  for (const line of SWEEP.trim().split('\n')) t.ok(SweepSchema.safeParse(JSON.parse(line)).success);
  t.notOk(SweepSchema.safeParse({ word: 'x' }).success);
  t.end();
});
