// Manifests from somebody who has read the source: bombs, depth, nonsense. None throws, each ends in a fault or in findings.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { lint } from '../../../src/serving/lint/lint.ts';
import { ServingSchema } from '../../../src/serving/lint/serving-schema.ts';
import { servingText } from '../../../src/serving/lint/serving-text.ts';
import { FIXTURES, lintText, pod } from './kit.ts';

t.setTimeout(600_000); // ten thousand lints take a minute where others work too

const codesOf = async (text: string, file?: string): Promise<string[]> =>
  (await lintText(text, file)).errors.map(({ code }) => code);

t.test('limits', async (t) => {
  t.strictSame(await codesOf(`# ${'x'.repeat(2 ** 23)}`), ['LIMIT'], 'bytes');
  t.strictSame(await codesOf('---\na: 1\n'.repeat(1001)), ['LIMIT'], 'documents');
  t.strictSame(await codesOf(`a: ${'['.repeat(100)}${']'.repeat(100)}`), ['LIMIT'], 'depth in brackets');
  t.strictSame(await codesOf(`${'- '.repeat(100)}x`), ['LIMIT'], 'depth in dashes');
  const indented = Array.from({ length: 3000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n');
  t.equal((await codesOf(indented)).length, 1, 'depth in spaces: the parser gives up');
  t.strictSame(await codesOf(`a: &a {b: 1}\nc: [${'*a,'.repeat(101)}]`), ['LIMIT'], 'aliases');
  const bomb = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i},`.repeat(9)}]`);
  t.strictSame(await codesOf(`l0: &l0 x\n${bomb.join('\n')}\n`), ['LIMIT'], 'an alias bomb');
  t.strictSame(await codesOf('a: &a {b: *a}\n'), ['LIMIT'], 'an alias for what it stands in');
  t.strictSame(await codesOf('a: &a\n  <<: *a\n'), ['LIMIT'], 'a merge of itself');
  t.strictSame(await codesOf(`FROM a\nRUN ${'x'.repeat(2 ** 18)}`, 'Dockerfile'), ['LIMIT'], 'a Dockerfile');
  const pods = (count: number): string =>
    `kind: List\nitems:\n${'  - {kind: Pod, spec: {containers: [{name: c}]}}\n'.repeat(count)}`;
  t.strictSame(await codesOf(pods(5001)), ['LIMIT'], 'workloads');
  t.strictSame(await codesOf(pods(10)), []);
  const containers = `kind: Pod\nspec:\n  containers:\n${'    - {name: c}\n'.repeat(257)}`;
  t.strictSame(await codesOf(containers), ['LIMIT'], 'containers');
  const bytes = Buffer.from([0x61, 0x3a, 0x20, 0xff, 0xfe]);
  t.match((await lint([{ file: 'x', bytes }])).errors, [{ code: 'INVALID_MANIFEST', message: 'not UTF-8' }]);
});

t.test('a signal that was aborted ends it', async (t) => {
  await t.rejects(lintText('a: 1', 'x', { signal: AbortSignal.abort() }), { code: 'ABORTED' });
});

/** CPU seconds of the fastest of three. */
async function cost(text: string, file?: string): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const begun = process.cpuUsage();
    await lintText(text, file);
    const { user, system } = process.cpuUsage(begun);
    least = Math.min(least, (user + system) / 1e6);
  }
  return least;
}

t.test('time grows with the text and no faster', async (t) => {
  const shapes: Record<string, (size: number) => [text: string, file?: string]> = {
    'keys of one map': (n) => [Array.from({ length: n }, (_, i) => `k${i}: 1`).join('\n')],
    'holes without an end': (n) => [pod(`image: "${'{{'.repeat(n)}"`)],
    'a variable that is named often': (n) => [
      pod(`image: a\nargs: ["${'$(A)'.repeat(n)}"]\nenv: [{name: A, value: ${'x'.repeat(n)}}]`),
    ],
    'dollars in a secret': (n) => [pod(`image: a\nenv: [{name: API_KEY, value: "${'$ '.repeat(n)}\\n"}]`)],
    'pipes of shells': (n) => [`FROM a\nRUN true ${'|sh'.repeat(n)}\n`, 'Dockerfile'],
    stages: (n) => [Array.from({ length: n >> 5 }, (_, i) => `FROM a${i} AS s${i}`).join('\n'), 'Dockerfile'],
    'quotes without an end': (n) => [pod(`image: a\nargs: [sh, -c, "${"'".repeat(n)}"]`)],
  };
  for (const [name, shape] of Object.entries(shapes)) {
    const [small, large] = [await cost(...shape(4000)), await cost(...shape(32_000))];
    // Eight times the text: quadratic would be 64 times the time.
    t.ok(large < Math.max(small, 0.004) * 24, `${name}: ${small} s, ${large} s`);
  }
});

const SEEDS = readdirSync(FIXTURES)
  .filter((name) => name.includes('.bad.') || name.includes('build-'))
  .map((name) => ({ name, text: readFileSync(join(FIXTURES, name), 'utf8') }));

t.test('10,000 mutants: each is a report that keeps its schema', async (t) => {
  const splice = [
    '{',
    '}',
    '[',
    ']',
    '- ',
    ': ',
    '&a ',
    '*a',
    '<<: ',
    '"',
    "'",
    '\n',
    '\n  ',
    '|',
    '!!x ',
    '\u0000',
    '\ufeff',
    '---\n',
    '?',
    '${',
    '$(',
    '{{',
    '%YAML 1.2\n',
    '\\',
    'ONBUILD ',
    'FROM ',
  ];
  const mutation = fc.record({
    seed: fc.constantFrom(...SEEDS),
    edits: fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        cut: fc.nat(40),
        put: fc.constantFrom('', ...splice),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  });
  const paint = (_: string, text: string): string => text;
  await fc.assert(
    fc.asyncProperty(mutation, async ({ seed, edits }) => {
      let { text } = seed;
      for (const { at, cut, put } of edits) {
        const start = Math.floor(at * text.length);
        text = text.slice(0, start) + put + text.slice(start + cut);
      }
      const report = await lintText(text, seed.name);
      ServingSchema.parse(report);
      for (const character of servingText(report, paint)) {
        const code = character.codePointAt(0)!;
        if ((code < 32 && code !== 10) || code === 0xfeff)
          throw new Error(`the text has U+${code.toString(16)}`);
      }
    }),
    { numRuns: Number(process.env.STEELYARD_MUTANTS ?? 10_000) },
  );
  t.pass();
});
