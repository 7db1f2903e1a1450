// Declarations and configurations from somebody who has read the source: each is read, or refused with a code of ours, in time.
import fc from 'fast-check';
import t from 'tap';
import { SteelyardError } from '../../../src/rules/error.ts';
import { checkConfiguration, parseEgress, render, TARGETS } from '../../../src/serving/egress/egress.ts';

t.setTimeout(600_000);

const RUNS = Number(process.env.STEELYARD_MUTANTS ?? 10_000);
const SEED = `schema: steelyard/egress/1
allow:
  - https://vector-db.internal:8443/path
  - https://*.tools.example
  - {url: "http://metrics.internal:9090", insecure: true}
  - {cidr: 10.20.0.0/16, ports: [5432, 443]}
deny: ["*"]
`;
const SPLICES = [
  '*',
  '.',
  ':',
  '@',
  '/',
  '#',
  '%',
  ' ',
  '\n',
  '"',
  '[',
  ']',
  '{',
  '}',
  '\\',
  '\u0000',
  '\u202e',
  '\ud800',
  'ß',
  '．',
  '443',
  '0x',
  '-',
  '&a',
  '*a',
  '!!x',
  '${',
  '::',
];

const mutants = fc
  .array(
    fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      cut: fc.nat(12),
      put: fc.constantFrom('', ...SPLICES),
    }),
    { minLength: 1, maxLength: 2 },
  )
  .map((edits) =>
    edits.reduce((text, { at, cut, put }) => {
      const start = Math.floor(at * text.length);
      return text.slice(0, start) + put + text.slice(start + cut);
    }, SEED),
  );

const OPTIONS = {
  name: 'n',
  namespace: null,
  selector: new Map([['a', 'b']]),
  proxy: { selector: new Map([['c', 'd']]), port: 3128 },
  listen: '127.0.0.1:3128',
};

t.test('10,000 mutants of a declaration', async (t) => {
  let read = 0;
  fc.assert(
    fc.property(mutants, (text) => {
      try {
        const egress = parseEgress(text);
        read++;
        // What was read is plain: no target is given a character that means something to it.
        for (const one of egress.allow)
          if (one.kind === 'name' && !/^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(one.host))
            throw new Error(`host ${JSON.stringify(one.host)}`);
        for (const target of TARGETS) render(egress, target, OPTIONS);
      } catch (error) {
        if (!(error instanceof SteelyardError) || error.code !== 'INVALID_EGRESS') throw error;
      }
    }),
    { numRuns: RUNS },
  );
  t.ok(read > RUNS / 1000, `${read} of ${RUNS} could be read`);
});

t.test('10,000 mutants as a configuration', async (t) => {
  const egress = parseEgress(SEED);
  fc.assert(
    fc.property(mutants, (text) => {
      const { named, refused, faults } = checkConfiguration(egress, text, 'c.yaml');
      if (refused.length > named.length || faults.some(({ at }) => at.line < 1)) throw new Error('unsound');
    }),
    { numRuns: RUNS },
  );
  t.pass();
});

t.test('limits', async (t) => {
  const egress = parseEgress(SEED);
  const codes = (text: string): string[] =>
    checkConfiguration(egress, text, 'c.yaml').faults.map(({ code }) => code);
  t.strictSame(codes(`a: "${'https://x.example '.repeat(10_001)}"`), ['LIMIT'], 'addresses');
  t.strictSame(codes(`a: ${'['.repeat(100)}`), ['LIMIT'], 'depth');
  const many = Array.from({ length: 10_001 }, (_, i) => `  - https://a${i}.example\n`).join('');
  t.throws(() => parseEgress(`schema: steelyard/egress/1\nallow:\n${many}deny: ["*"]\n`), {
    code: 'INVALID_EGRESS',
  });
});
