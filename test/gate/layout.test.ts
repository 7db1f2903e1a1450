// Layouts and links that are written here: our own verifier takes them, and so does in-toto where it is installed.
import { execFileSync, spawnSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { fnmatch } from '../../src/gate/layout/fnmatch.ts';
import { verifyLayout } from '../../src/gate/layout/layout.ts';
import { settled } from '../../src/gate/verdict/denial.ts';
import { hex, pair } from '../kit/specimen/forgery.ts';
import { steelyard } from '../kit/steelyard.ts';

t.setTimeout(600_000);

/** Where in-toto may be: STEELYARD_IN_TOTO names in-toto-verify. */
const IN_TOTO = process.env.STEELYARD_IN_TOTO ?? 'in-toto-verify';
const hasInToto = spawnSync(IN_TOTO, ['--version']).status === 0;

t.test('layout sign and link record', async (t) => {
  const [owner, ci] = [pair(), pair()];
  const folder = t.testdir({
    'serving.yaml': 'max_model_len: 4096\n',
    'layout.yaml': `expires: 2099-01-01T00:00:00Z
steps:
  - name: configure
    functionaries: [ci.pub]
    materials: ["DISALLOW *"]
    products: ["CREATE serving.yaml", "DISALLOW *"]
`,
    'owner.pem': owner.secret,
    'owner.pub': owner.public,
    'ci.pem': ci.secret,
    'ci.pub': ci.public,
    metadata: {},
  });
  const at = (name: string): string => join(folder, name);
  const layout = await steelyard([
    'layout',
    'sign',
    at('layout.yaml'),
    '--key',
    at('owner.pem'),
    '-o',
    at('metadata/root.layout'),
  ]);
  t.equal(layout.code, 0, layout.stderr);
  const link = await steelyard([
    ...['link', 'record', 'configure', '--root', folder, '--products', 'serving.yaml'],
    ...['--key', at('ci.pem'), '-o', at('metadata')],
  ]);
  t.equal(link.code, 0, link.stderr);
  const names = readdirSync(at('metadata'));
  const question = {
    layout: readFileSync(at('metadata/root.layout')),
    links: names
      .filter((name) => name.endsWith('.link'))
      .map((path) => ({ path, bytes: readFileSync(at(`metadata/${path}`)) })),
    owners: [{ name: 'owner', key: createPublicKey(owner.public) }],
    now: Date.now(),
    files: [{ path: 'serving.yaml', step: 'configure', sha256: hex('max_model_len: 4096\n') }],
    exactCommands: false,
  };
  t.equal(verifyLayout(question).owner, 'owner');
  t.equal(
    settled(() => verifyLayout({ ...question, files: [{ ...question.files[0]!, sha256: hex('x') }] }))
      .denials?.[0].code,
    'STEP_MISMATCH',
  );
  if (hasInToto) {
    writeFileSync(at('metadata/serving.yaml'), 'max_model_len: 4096\n');
    execFileSync(IN_TOTO, ['-l', 'root.layout', '--verification-keys', at('owner.pub')], {
      cwd: at('metadata'),
      stdio: 'ignore',
    });
    t.pass('in-toto-verify takes them');
  } else t.comment('NOT RUN: in-toto-verify is not installed (pip install in-toto==3.1.0)');
  for (const [what, text, message] of [
    ['no end', 'products: ["ALLOW *"]', /DISALLOW/],
    ['no rule', 'products: ["HOPE x", "DISALLOW *"]', /rule/],
    ['a threshold that nobody reaches', 'threshold: 2\n    products: ["DISALLOW *"]', /never/],
  ] as const) {
    writeFileSync(
      at('bad.yaml'),
      `expires: 2099-01-01T00:00:00Z\nsteps:\n  - name: a\n    functionaries: [ci.pub]\n    materials: ["DISALLOW *"]\n    ${text}\n`,
    );
    const bad = await steelyard([
      'layout',
      'sign',
      at('bad.yaml'),
      '--key',
      at('owner.pem'),
      '-o',
      at('metadata/bad.layout'),
    ]);
    t.equal(bad.code, 2, what);
    t.match(bad.stderr, message, what);
  }
  const none = await steelyard([
    'link',
    'record',
    'a',
    '--root',
    folder,
    '--products',
    'nothing',
    '--key',
    at('ci.pem'),
    '-o',
    at('metadata'),
  ]);
  t.equal(none.code, 2, 'a pattern that finds nothing');
});

/** Python's own way: a regular expression of the pattern, here for patterns without sets. */
const reference = (pattern: string): RegExp =>
  new RegExp(
    `^(?:${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')})$`,
    'su',
  );

t.test('patterns as in Python', (t) => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '*', '?'), maxLength: 12 });
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.'), maxLength: 12 });
  fc.assert(
    fc.property(text, name, (pattern, path) => fnmatch(pattern)(path) === reference(pattern).test(path)),
    { numRuns: 20_000 },
  );
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[!a-c]x', 'dx', true],
    ['[]a]', ']', true],
    ['[', '[', true],
    ['[a', '[a', true],
    ['*', 'a/b/c', true],
  ];
  for (const [pattern, path, expected] of cases)
    t.equal(fnmatch(pattern)(path), expected, `${pattern} ${path}`);
  const long = 'a'.repeat(5000);
  t.equal(fnmatch(`${'*a'.repeat(1000)}b`)(long), false, 'a hostile pattern ends');
  t.end();
});
