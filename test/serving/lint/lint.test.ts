// Each rule of lint fires on its bad file, at its line, and nowhere on its good one; waivers, verdicts and documents of a lint.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { z } from 'zod';
import { parsePolicy } from '../../../src/index.ts';
import { CONTAINER } from '../../../src/rules/table/container.ts';
import { SERVING } from '../../../src/rules/table/serving.ts';
import { lint } from '../../../src/serving/lint/lint.ts';
import { ServingSchema } from '../../../src/serving/lint/serving-schema.ts';
import { packageRoot } from '../../kit/root.ts';
import { FIXTURES, lintText, RELEASE, rulesOf } from './kit.ts';

const NAMES = readdirSync(FIXTURES).filter((name) => /\.(?:good|bad)\./.test(name));
const read = (name: string): string => readFileSync(join(FIXTURES, name), 'utf8');

/** These are about the release, and are held against one. */
const ABOUT_RELEASE = /^(?:image-not-in-bom|provenance-)/;

t.test('each rule has a bad and a good file, and fires exactly there', async (t) => {
  const met = new Set<string>();
  for (const name of NAMES) {
    const text = read(name);
    const lines = text.split('\n');
    const rules = /^# rules: (.*)/
      .exec(lines[0]!)![1]!
      .split(' ')
      .filter((rule) => rule !== 'none');
    const release = ABOUT_RELEASE.test(name) ? RELEASE : undefined;
    const report = await lintText(text, name, { release, failOn: 'info' });
    t.strictSame(rulesOf(report), rules, name);
    t.strictSame(report.errors, [], `${name}: all of it was read`);
    t.equal(report.verdict.outcome, rules.length === 0 ? 'pass' : 'fail', name);
    t.doesNotThrow(() => ServingSchema.parse(report), `${name}: the report keeps its schema`);
    const mark = lines.findIndex((line) => line.endsWith('# <-')) + 1;
    const line = lines[mark - 1]?.trim() === '# <-' ? mark + 1 : mark;
    for (const finding of report.findings)
      t.equal(finding.line, line, `${name}: ${finding.rule} at its line`);
    for (const rule of rules) met.add(rule);
  }
  for (const rule of [...Object.keys(CONTAINER), ...Object.keys(SERVING)]) {
    t.ok(met.has(rule), `${rule} has a bad file`);
    const stem = rule.replace('/', '-');
    for (const kind of ['good', 'bad'])
      t.ok(
        NAMES.some((name) => name.startsWith(`${stem}.${kind}.`)),
        `${stem}.${kind}`,
      );
  }
});

t.test('a policy and a service account in another file count', async (t) => {
  const [workload, policy] = read('egress-none.good.yaml').split('---\n') as [string, string];
  const alone = await lintText(workload);
  t.strictSame(rulesOf(alone), ['egress/none']);
  const files = [workload, policy].map((text, i) => ({ file: `${i}.yaml`, bytes: Buffer.from(text) }));
  t.strictSame(rulesOf(await lint(files)), []);
  const elsewhere = policy.replace('namespace: serving', 'namespace: other');
  const other = [workload, elsewhere].map((text, i) => ({ file: `${i}.yaml`, bytes: Buffer.from(text) }));
  t.strictSame(
    rulesOf(await lint(other)),
    ['egress/none'],
    'a policy of another namespace selects nothing here',
  );
});

const policyOf = (expires: string, subject: string, rule = 'caps/not-dropped') =>
  parsePolicy(
    `schema: steelyard/policy/1\nwaivers:\n  - {rule: ${rule}, subject: "${subject}", reason: legacy, owner: ops, expires: ${expires}}\n`,
  );

t.test('waivers: until their day, for one thing only', async (t) => {
  const text = read('caps-not-dropped.bad.yaml');
  const { subject } = (await lintText(text)).findings[0]!;
  const held = (manifest: string, expires = '2026-12-31', of = subject) =>
    lintText(manifest, 'm.yaml', { policy: policyOf(expires, of), today: '2026-12-31' });
  const good = await held(text);
  t.equal(good.verdict.outcome, 'pass', 'the last day counts');
  t.strictSame(good.findings[0]!.waived, { reason: 'legacy', owner: 'ops', expires: '2026-12-31' });
  const moved = await held(`# a comment\n\n${text}`);
  t.equal(moved.verdict.outcome, 'pass', 'a line above moves nothing');
  const expired = await held(text, '2026-12-30');
  t.strictSame(rulesOf(expired), ['caps/not-dropped', 'policy/waiver-expired']);
  t.equal(expired.verdict.outcome, 'fail');
  const other = await held(text.replaceAll('name: chat', 'name: other'));
  t.strictSame(
    rulesOf(other, /caps|policy/),
    ['caps/not-dropped', 'policy/waiver-unused'],
    'not for another workload',
  );
  await t.rejects(
    lintText(text, 'm.yaml', { policy: policyOf('2026-12-31', subject) }),
    { code: 'USAGE' },
    'no day',
  );
  await t.rejects(
    lintText(text, 'm.yaml', { policy: parsePolicy('schema: steelyard/policy/1\nfiles: ["*"]\n') }),
    { code: 'USAGE' },
    'a policy about models',
  );
});

t.test('the verdict: a definite no beats an error, an error beats a pass', async (t) => {
  const good = read('image-unpinned.good.yaml');
  const bad = read('image-unpinned.bad.yaml');
  const broken = `${good}---\na: {{ .Values.x }}\n`;
  t.equal((await lintText(good)).verdict.outcome, 'pass');
  t.equal((await lintText(broken)).verdict.outcome, 'error');
  t.equal((await lintText(`${bad}---\na: {{ .Values.x }}\n`)).verdict.outcome, 'fail');
  t.equal((await lintText(bad, 'm.yaml', { failOn: 'critical' })).verdict.outcome, 'pass');
  const policy = parsePolicy('schema: steelyard/policy/1\nseverity: {image/unpinned: low}\n');
  t.equal((await lintText(bad, 'm.yaml', { policy, today: '2026-01-01' })).verdict.outcome, 'pass');
  const nothing = await lintText('apiVersion: v1\nkind: Service\nmetadata: {name: s}\n');
  t.equal(nothing.verdict.outcome, 'error', 'a lint that looked at nothing');
  t.match(nothing.errors, [{ code: 'NOT_FOUND' }]);
});

t.test('against an MBOM', async (t) => {
  const text = read('image-not-in-bom.good.yaml');
  const without = await lintText(text, 'm.yaml', { release: { ...RELEASE, image: null } });
  t.strictSame(rulesOf(without), ['image/not-in-bom'], 'an MBOM without an image proves no image');
  const report = await lintText(text, 'm.yaml', { release: RELEASE });
  t.strictSame(report.release, RELEASE);
  t.match(report.files[0]!.workloads[0]!.containers, [
    { name: 'server', serves: 'vLLM' },
    { name: 'verify', serves: null },
  ]);
  const unknown = text.replace('vllm-openai', 'own-server').replace('--model, /models/chat', '--port, "1"');
  t.strictSame(
    rulesOf(await lintText(unknown, 'm.yaml', { release: RELEASE }), /image/),
    [],
    'some container is it',
  );
  const none = unknown.replaceAll('ab'.repeat(32), 'cd'.repeat(32));
  t.strictSame(rulesOf(await lintText(none, 'm.yaml', { release: RELEASE }), /image/), ['image/not-in-bom']);
});

t.test('the JSON Schema is strict', async (t) => {
  const report = await lintText(read('user-root.bad.yaml'));
  t.throws(() => ServingSchema.parse({ ...report, more: 1 }));
  t.match(z.toJSONSchema(ServingSchema), { additionalProperties: false });
});

t.test('the guide names every rule', async (t) => {
  const guide = readFileSync(join(packageRoot, 'docs', 'serving.md'), 'utf8');
  for (const rule of [...Object.keys(CONTAINER), ...Object.keys(SERVING)])
    t.ok(guide.includes(`\`${rule}\``), rule);
});
