// Headers of strangers: what fits its grammar and nothing else; no text makes a reader throw, or take long.
import fc from 'fast-check';
import t from 'tap';
import {
  challenge,
  contentLength,
  contentRange,
  nextLink,
  retryAfter,
} from '../../src/source/http/header.ts';

t.setTimeout(600_000);

t.test('Content-Range', (t) => {
  t.same(contentRange('bytes 0-99/1234'), { start: 0, end: 100, total: 1234 });
  t.same(contentRange('bytes 5-5/*'), { start: 5, end: 6, total: null });
  for (const bad of [
    'bytes 0-99/99',
    'bytes 9-8/20',
    'bytes -1-2/3',
    'bytes 0-9',
    'bytes 0-9/10, bytes 0-9/10',
    'items 0-9/10',
  ])
    t.equal(contentRange(bad), null, bad);
  t.equal(contentRange('bytes 0-9007199254740992/9007199254740993'), null);
  t.equal(contentLength('12'), 12);
  for (const bad of ['', '-1', '1.5', '0x10', '12, 12', '99999999999999999'])
    t.equal(contentLength(bad), null, bad);
  t.end();
});

t.test('Link', (t) => {
  t.equal(nextLink('<https://x/a?b=1,2>; rel="next"'), 'https://x/a?b=1,2');
  t.equal(nextLink('<p>; rel=prev, <n>; title="a, <b>; rel=next"; rel="last next"'), 'n');
  t.equal(nextLink('<n>; rel=next'), 'n');
  for (const bad of [
    undefined,
    '',
    '<p>; rel="prev"',
    '<n',
    'n; rel=next',
    '<n>; rel=nextish',
    '<n>; title="; rel=next"',
  ])
    t.equal(nextLink(bad), null, bad ?? 'none');
  t.end();
});

t.test('WWW-Authenticate', (t) => {
  const found = challenge(
    'Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull"',
  );
  t.equal(found?.scheme, 'bearer');
  t.same(
    [...found!.parameters],
    [
      ['realm', 'https://auth.example/token'],
      ['service', 'registry'],
      ['scope', 'repository:a/b:pull'],
    ],
  );
  t.equal(challenge('Basic realm="x\\"y"')?.parameters.get('realm'), 'x"y');
  for (const bad of [
    undefined,
    '',
    '=',
    'Bearer realm="a", realm="b"',
    'Bearer realm="a',
    `Bearer realm="${'a'.repeat(5000)}"`,
  ])
    t.equal(challenge(bad), null, bad ?? 'none');
  t.end();
});

t.test('how long to wait', (t) => {
  t.equal(retryAfter({ 'retry-after': '7' }, 0), 7);
  t.equal(retryAfter({ ratelimit: '"api";r=0;t=55' }, 0), 55);
  t.equal(retryAfter({ 'retry-after': new Date(9000).toUTCString() }, 0), 9);
  t.equal(retryAfter({ 'retry-after': '999999' }, 0), 300, 'nobody makes us wait for ever');
  t.equal(retryAfter({ 'retry-after': 'soon' }, 0), null);
  t.equal(retryAfter({}, 0), null);
  t.end();
});

t.test('no text escapes', (t) => {
  const seeds = [
    'bytes 0-99/1234',
    '<https://x/a>; rel="next", <b>; rel=prev',
    'Bearer realm="https://auth.example/token",service="registry"',
    '"api";r=0;t=55',
  ];
  const alphabet = fc.stringMatching(/^[<>;,="\\ \t*/a-z0-9-]{0,60}$/);
  const mutant = fc
    .tuple(fc.constantFrom(...seeds), fc.nat(60), fc.nat(6), alphabet)
    .map(([seed, at, cut, text]) => seed.slice(0, at) + text + seed.slice(at + cut));
  fc.assert(
    fc.property(fc.oneof(mutant, fc.string({ unit: 'binary' })), (text) => {
      const range = contentRange(text);
      const link = nextLink(text);
      const asked = challenge(text);
      const wait = retryAfter({ 'retry-after': text, ratelimit: text }, 0);
      return (
        (range === null || (range.start < range.end && range.end <= (range.total ?? range.end))) &&
        (link === null || text.includes(`<${link}>`)) &&
        (asked === null || asked.scheme.length > 0) &&
        (wait === null || (wait >= 0 && wait <= 300))
      );
    }),
    { numRuns: Number(process.env.STEELYARD_RUNS ?? 10_000) },
  );
  t.end();
});
