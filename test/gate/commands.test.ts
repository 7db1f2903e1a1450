// The commands as a user runs them: the example from a model to PROMOTE and back, and what ends without a verdict.
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { frameworksOf } from '../../src/rules/frameworks.ts';
import { RULES } from '../../src/rules/rules.ts';
import { packageRoot } from '../kit/root.ts';
import { steelyard } from '../kit/steelyard.ts';

t.setTimeout(1_200_000);

const MAIN = join(packageRoot, 'out', 'src', 'cli', 'main.js');

t.test('the example promotes, drills, breaks and recalls', async (t) => {
  const folder = t.testdir({});
  const example = join(packageRoot, 'examples', 'release', 'release.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [example, folder], {
    encoding: 'utf8',
    env: { ...process.env, STEELYARD: `${process.execPath} ${MAIN}` },
  });
  t.equal(status, 0, stderr);
  for (const word of [
    /^PROMOTE /m,
    /drills, all blocked/,
    /DIGEST_MISMATCH/,
    /found: file adapter_model/,
    /RECALLED/,
  ])
    t.match(stdout, word);
  const at = (...path: string[]): string => join(folder, ...path);
  const policy = at('gate', 'release.yaml');
  const gate = (...args: string[]) => steelyard(['gate', at('release'), ...args]);

  const recalled = await gate('--policy', policy, '--current', 'none', '--format', 'json');
  t.equal(recalled.code, 1);
  t.equal(JSON.parse(recalled.stdout).outcome, 'refuse');
  t.notMatch(recalled.stdout, /PROMOTE/);
  t.equal((await gate('--policy', policy)).code, 2, 'what is replaced must be said');
  t.equal(
    (await gate('--policy', policy, '--current', 'none', '--now', '2026-01-01')).code,
    2,
    'a day is no time',
  );
  cpSync(policy, at('release', 'release.yaml'));
  const inside = await gate('--policy', at('release', 'release.yaml'), '--current', 'none');
  t.equal(inside.code, 2, 'a policy that the release could change');
  t.match(inside.stderr, /which it judges/);
  writeFileSync(at('gate', 'open.yaml'), readFileSync(policy, 'utf8').replace('need: 2', 'need: 0'));
  const open = await gate('--policy', at('gate', 'open.yaml'), '--current', 'none');
  t.equal(open.code, 2);
  t.match(open.stderr, /INVALID_POLICY.*open\.yaml:\d+:\d+/);
  const refused = await steelyard([
    ...[
      'approve',
      at('release'),
      '--policy',
      policy,
      '--current',
      'none',
      '--key',
      at('keys', 'alice.pem'),
      '--yes',
    ],
    ...['-o', at('alice.json')],
  ]);
  t.equal(refused.code, 1, 'what the gate refuses is not approved');
  const attested = await gate(
    '--policy',
    policy,
    '--current',
    'none',
    '--attest',
    at('vsa.jsonl'),
    '--key',
    at('keys', 'ci.pem'),
  );
  t.equal(attested.code, 1);
  const { payload } = JSON.parse(readFileSync(at('vsa.jsonl'), 'utf8')).dsseEnvelope;
  const summary = JSON.parse(Buffer.from(payload, 'base64').toString('utf8'));
  t.equal(summary.predicate.verificationResult, 'FAILED');
  t.ok(summary.predicate.inputAttestations.length > 5);
  t.match(
    (await steelyard(['evidence', 'list', at('release'), '--policy', policy, '--current', 'none'])).stdout,
    /counts for cve/,
  );
});

t.test('frameworks: what the table of the document names is what explain says', async (t) => {
  const document = readFileSync(join(packageRoot, 'docs', 'gate.md'), 'utf8');
  const ids = (text: string): Set<string> =>
    new Set(text.match(/\bLLM\d\d\b|AML\.[TM]\d{4}(\.\d{3})?|(GOVERN|MAP|MEASURE|MANAGE) \d\.\d/g));
  const table = ids(document.slice(document.indexOf('## Frameworks')));
  const kinds = [
    'header',
    'file',
    'stats',
    'template',
    'serving',
    'source',
    'mbom',
    'model',
    'scan',
    'image',
    'build',
    'layout',
    'performance',
    'canary',
    'approvals',
    'recalls',
  ];
  const said = ids(JSON.stringify(kinds.map(frameworksOf)));
  t.same([...said].sort(), [...table].sort());
  for (const rule of RULES.keys()) t.ok(frameworksOf(rule) !== null, `${rule} has its family in the table`);
  t.match((await steelyard(['explain', 'VULNERABLE'])).stdout, /at or above the limit/);
  t.match((await steelyard(['explain', 'vulnerabilities'])).stdout, /LLM03/);
  t.equal((await steelyard(['explain', 'HOPE'])).code, 2);
});
