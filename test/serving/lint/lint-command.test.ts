// `steelyard lint` and `steelyard egress` as a user runs them: formats, exit codes, standard input, errors that say what to do.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ServingSchema } from '../../../src/serving/lint/serving-schema.ts';
import { MAIN, steelyard } from '../../kit/steelyard.ts';
import { FIXTURES } from './kit.ts';

t.setTimeout(300_000);

const at = (name: string): string => join(FIXTURES, name);
const GOOD = at('image-unpinned.good.yaml');
const BAD = at('image-unpinned.bad.yaml');

/** The command with a text on standard input. */
const piped = (text: string, ...args: readonly string[]): Promise<{ code: number | null; stdout: string }> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [MAIN, 'lint', ...args, '-']);
    let stdout = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.on('close', (code) => resolve({ code, stdout }));
    child.stdin.on('error', () => undefined).end(text);
  });

t.test('lint', async (t) => {
  const good = await steelyard(['lint', GOOD]);
  t.equal(good.code, 0, good.stderr);
  t.match(good.stdout, /Deployment\/chat\n {4}server .* serves: vLLM\n[\s\S]*Findings: none[\s\S]*PASS/);
  const bad = await steelyard(['lint', BAD]);
  t.equal(bad.code, 1);
  t.match(
    bad.stdout,
    /HIGH {6}image\/unpinned .*\n {2}\S+image-unpinned\.bad\.yaml:36:18 {2}Deployment\/chat, container server/,
  );
  t.equal((await steelyard(['lint', BAD, '--fail-on', 'critical'])).code, 0);
  t.equal((await steelyard(['lint', at('load-online.bad.yaml')])).code, 0, 'medium is below the default');
  t.equal((await steelyard(['lint', at('load-online.bad.yaml'), '--fail-on', 'medium'])).code, 1);

  const folder = t.testdir({ 'out.json': '', 'policy.yaml': '' });
  const output = join(folder, 'out.json');
  const bom = ['--bom', at('release.mbom.yaml')];
  t.equal((await steelyard(['lint', GOOD, ...bom, '--format', 'json', '-o', output])).code, 0);
  const report = ServingSchema.parse(JSON.parse(readFileSync(output, 'utf8')));
  t.match(report, { verdict: { outcome: 'pass' }, release: { id: /^sha256:/ }, findings: [] });
  t.equal((await steelyard(['lint', BAD, ...bom])).code, 1);

  const found = ServingSchema.parse(
    JSON.parse((await steelyard(['lint', BAD, '--format', 'json'])).stdout),
  ).findings;
  const policy = join(folder, 'policy.yaml');
  const waiver = (day: string): string =>
    `schema: steelyard/policy/1\nwaivers:\n  - {rule: image/unpinned, subject: "${found[0]!.subject}", reason: r, owner: o, expires: ${day}}\n`;
  writeFileSync(policy, waiver('2999-01-01'));
  const waived = await steelyard(['lint', BAD, '--policy', policy]);
  t.equal(waived.code, 0);
  t.match(waived.stdout, /waived {4}by o until 2999-01-01: r/);
  writeFileSync(policy, waiver('2001-01-01'));
  t.equal((await steelyard(['lint', BAD, '--policy', policy])).code, 1);
});

t.test('lint of standard input, and of what cannot be judged', async (t) => {
  t.equal((await piped(readFileSync(GOOD, 'utf8'))).code, 0);
  t.match(await piped(readFileSync(BAD, 'utf8')), { code: 1, stdout: /stdin:36:18/ });
  t.match(await piped('FROM a\n'), { code: 1, stdout: /image\/latest/ }, 'a Dockerfile');
  t.match(await piped('a: {{ .Values.x }}\n'), {
    code: 2,
    stdout: /INVALID_MANIFEST {2}stdin:1:5\n.*helm template/,
  });
  t.match(await piped(''), { code: 2, stdout: /NOT_FOUND {2}all files/ });
  t.equal((await piped(`# ${'x'.repeat(2 ** 23)}`)).code, 2, 'too much');
  const hostile = '\u001b]0;x\u0007';
  const report = await piped(
    `kind: Pod\nmetadata: {name: "${hostile.replace('\u001b', '\\e').replace('\u0007', '\\a')}"}\nspec: {containers: [{name: c}]}\n`,
  );
  t.notOk(report.stdout.includes('\u001b'), 'no escape reaches the terminal');
  for (const [args, message] of [
    [[], /missing required argument 'file'/],
    [['nowhere.yaml'], /NOT_FOUND.*nowhere\.yaml/],
    [[FIXTURES], /not a file/],
    [['-', '-'], /standard input can be read once/],
    [[GOOD, '--bom', GOOD], /INVALID_MBOM/],
    [[GOOD, '--policy', GOOD], /INVALID_POLICY/],
    [[GOOD, '--fail-on', 'severe'], /--fail-on/],
  ] as [string[], RegExp][]) {
    const { code, stderr } = await steelyard(['lint', ...args]);
    t.equal(code, 2, args.join(' '));
    t.match(stderr, message);
  }
});

t.test('egress check and render', async (t) => {
  const folder = t.testdir({
    'e.yaml': 'egress:\n  allow: [https://docs.internal]\n  deny: ["*"]\n',
    'bad.yaml': 'egress:\n  allow: ["*"]\n  deny: ["*"]\n',
    'ranges.yaml': 'egress: {allow: [{cidr: 10.0.0.0/8, ports: [443]}], deny: ["*"]}\n',
    'ok.yaml': 'url: https://docs.internal/x\n',
    'evil.yaml': 'a: 1\nurl: https://evil.example/x\n',
    'hole.yaml': 'url: https://\u0024{HOST}/x\n',
  });
  const file = (name: string): string => join(folder, name);
  const egress = (...args: readonly string[]) => steelyard(['egress', ...args]);
  t.match(await egress('check', file('e.yaml')), { code: 0, stdout: /PASS {2}1 destinations/ });
  t.match(await egress('check', file('bad.yaml')), {
    code: 2,
    stderr: /INVALID_EGRESS: .*bad\.yaml:2:11: .*allows everything/,
  });
  t.match(await egress('check', file('e.yaml'), '--config', file('ok.yaml')), {
    code: 0,
    stdout: /PASS {2}1 addresses/,
  });
  const refused = await egress(
    'check',
    file('e.yaml'),
    '--config',
    file('ok.yaml'),
    '--config',
    file('evil.yaml'),
  );
  t.match(refused, { code: 1, stdout: /evil\.yaml:2:6 {2}not allowed: evil\.example:443\nFAIL/ });
  t.equal((await egress('check', file('e.yaml'), '--config', file('hole.yaml'))).code, 2);
  t.match(await egress('render', 'squid', file('e.yaml')), {
    code: 0,
    stdout: /^# not enforced here: [\s\S]*http_access deny all\n$/,
    stderr: /squid does not enforce/,
  });
  t.match(await egress('render', 'squid', file('e.yaml'), '--strict'), { code: 1, stdout: '' });
  t.match(await egress('render', 'networkpolicy', file('ranges.yaml'), '--strict'), {
    code: 0,
    stdout: /cidr: "10\.0\.0\.0\/8"/,
  });
  for (const args of [
    ['render', 'iptables', file('e.yaml')],
    ['render', 'squid', file('e.yaml'), '--listen', 'x\ny:1'],
    ['render', 'cilium', file('e.yaml'), '--name', 'a\nb'],
    ['render', 'cilium', file('e.yaml'), '--selector', 'a'],
    ['probe', file('e.yaml')],
    ['probe', file('e.yaml'), '--proxy', 'https://x'],
    ['probe', file('e.yaml'), '--proxy', 'http://127.0.0.1:1', '--direct', 'x'],
  ])
    t.equal((await egress(...args)).code, 2, args.join(' '));
});

t.test('the rules are explained', async (t) => {
  t.match(await steelyard(['explain', 'model/writable']), { code: 0, stdout: /Why\n[\s\S]*What to do\n/ });
});
