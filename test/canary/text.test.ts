// What is found in answers: links in every spelling, secrets, personal data, refusals, invisible characters.
import fc from 'fast-check';
import t from 'tap';
import { isAllowed, linksOf } from '../../src/canary/text/links.ts';
import { invisibleIn, isRefusal, scriptsOf } from '../../src/canary/text/manner.ts';
import { hitsOf } from '../../src/canary/text/secrets.ts';

/** text → hosts; `+image`, `+disguised`. */
const CASES: readonly (readonly [string, readonly string[]])[] = [
  ['see https://discord.gg/xK9qZ.', ['discord.gg']],
  ['(https://a.example.com/x)', ['a.example.com']],
  ['[here](https://evil.com/a_(b))', ['evil.com']],
  ['<https://evil.com>', ['evil.com']],
  ['![x](https://evil.com/p.png?d=SECRET)', ['evil.com+image']],
  ['join discord.gg/x now', ['discord.gg']],
  ['t.me/x', ['t.me']],
  ['www.evil.org', ['www.evil.org']],
  ['https://user:pw@host.com/a', ['host.com']],
  ['http://10.0.0.1/x', ['10.0.0.1']],
  ['http://[::1]:80/', ['[::1]']],
  ['http://2130706433/', ['127.0.0.1']],
  ['https://аpple.com/', ['xn--pple-43d.com+disguised']],
  ['https://xn--pple-43d.com/', ['xn--pple-43d.com+disguised']],
  ['discord．gg/x', ['discord.gg']],
  ['https://e\u200bvil.com/', ['evil.com']],
  ['hxxps://evil[.]com/x', ['evil.com']],
  ['discord dot gg', ['discord.gg']],
  ['wss://evil.com/s', ['evil.com']],
  ['data:text/html;base64,AAAA', ['data:']],
  ['javascript:alert(1)', ['javascript:']],
  ['mailto:a@evil.com', ['mailto:']],
  ['evil.zip', ['evil.zip']],
  ['config.json, main.py, e.g. Node.js 1.2.3 and README.md', []],
  ['münchen.de/x', ['xn--mnchen-3ya.de']],
  ['ipfs://bafy/x and magnet:?xt=1', ['bafy', 'magnet:']],
];

t.test('links', (t) => {
  for (const [text, expected] of CASES) {
    const hosts = linksOf(text).map(
      ({ host, image, disguised }) => `${host}${image ? '+image' : ''}${disguised ? '+disguised' : ''}`,
    );
    t.same(hosts, expected, JSON.stringify(text));
  }
  t.ok(isAllowed('docs.example.com', ['*.example.com']));
  t.notOk(isAllowed('example.com', ['*.example.com']));
  t.notOk(isAllowed('evilexample.com', ['*.example.com', 'example.com']));
  t.end();
});

t.test('secrets and personal data', (t) => {
  const kinds = (text: string): string[] => hitsOf(text).map(({ kind }) => kind);
  t.same(kinds('key AKIAIOSFODNN7EXAMPLE'), ['aws-key']);
  t.same(kinds(`ghp_${'a1'.repeat(18)} and hf_${'a'.repeat(34)}`), ['github-token', 'api-key']);
  t.same(kinds('-----BEGIN PRIVATE KEY-----\nabc'), ['private-key']);
  t.same(kinds('password: hunter2!'), ['password']);
  t.same(kinds('your password: settings menu'), []);
  t.same(kinds('Bearer abcdefghijklmnop1234'), ['bearer']);
  t.same(kinds('write to a.b@evil.com or +49 170 1234567'), ['email', 'phone']);
  t.same(kinds('4111 1111 1111 1111 and 4111 1111 1111 1112'), ['card']);
  t.same(kinds('DE89 3704 0044 0532 0130 00, DE88 3704 0044 0532 0130 00'), ['iban']);
  t.end();
});

t.test('manner', (t) => {
  for (const text of [
    'We never share secrets or keys.',
    "I can't help with that.",
    'Das darf ich leider nicht sagen.',
  ])
    t.ok(isRefusal(text), text);
  for (const text of ['You can reset it in the menu.', 'Das finden Sie im Menü.', ''])
    t.notOk(isRefusal(text), text);
  t.equal(invisibleIn('a\u200bb\u{e0041}'), 2);
  t.equal(invisibleIn('👩‍💻 नमस्ते می‌خواهم'), 0, 'joiners where scripts and emoji need them');
  t.same(scriptsOf('Hello мир мир мир'), ['Latin', 'Cyrillic']);
  t.same(scriptsOf('123'), []);
  t.end();
});

t.test('hostile texts take time in proportion', (t) => {
  const pieces = [
    'a-',
    'a.',
    '![',
    '](',
    ' dot a',
    'hxxp://',
    '[.]',
    'password=',
    '4111 ',
    'DE89 ',
    'eyJa.',
    '(',
    '\u200b',
    'xn--',
    'mailto:',
    '-----BEGIN ',
  ];
  const cost = (count: number, piece: string): number => {
    const text = piece.repeat(count);
    const before = process.cpuUsage();
    linksOf(text);
    hitsOf(text);
    isRefusal(text);
    invisibleIn(text);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  for (const piece of pieces) {
    cost(1000, piece);
    const ratio = cost(80_000, piece) / Math.max(cost(10_000, piece), 2000);
    t.ok(ratio < 40, `${JSON.stringify(piece)}: 8 times the text, ${ratio.toFixed(1)} times the time`);
  }
  t.end();
});

t.test('any text is read', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      for (const { start, end } of hitsOf(text)) if (start >= end || end > text.length) return false;
      return linksOf(text).every(({ host }) => host !== '') && invisibleIn(text) >= 0;
    }),
    { numRuns: 10_000 },
  );
  t.end();
});
