// ci/: the steps of each kit as a runner runs them, with the environment and the files that it gives.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { packageRoot } from '../kit/root.ts';
import { MAIN, steelyard } from '../kit/steelyard.ts';

const at = (...path: string[]): string => join(packageRoot, 'ci', ...path);
const text = (...path: string[]): string => readFileSync(at(...path), 'utf8');
const LORA = join(packageRoot, 'fixtures', 'real', 'tiny-lora');

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}
interface Action {
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default?: string }>>;
  readonly runs: { readonly steps: readonly Step[] };
}

/** A folder with `steelyard` on the path, and what a runner of GitHub gives a step. */
function runner(t: Test) {
  const folder = t.testdir({});
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const program = (name: string, script: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  program('steelyard', `exec '${process.execPath}' '${MAIN}' "$@"`);
  cpSync(LORA, join(folder, 'lora'), { recursive: true });
  const [output, summary] = [join(folder, 'output'), join(folder, 'summary')];
  const step = (script: string, env: NodeJS.ProcessEnv) => {
    writeFileSync(output, '');
    writeFileSync(summary, '');
    const ended = spawnSync('bash', [at('github', script)], {
      cwd: folder,
      encoding: 'utf8',
      env: {
        ...process.env,
        PATH: `${bin}:${process.env.PATH}`,
        GITHUB_OUTPUT: output,
        GITHUB_STEP_SUMMARY: summary,
        GITHUB_REPOSITORY: 'acme/support',
        RUNNER_TEMP: folder,
        ...env,
      },
    });
    const lines = readFileSync(output, 'utf8').trim().split('\n').filter(Boolean);
    const outputs = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
    return { ...ended, outputs, summary: readFileSync(summary, 'utf8') };
  };
  return { folder, program, step };
}

test('GitHub: inputs reach the shell as variables alone, actions are pinned by commit', (t) => {
  const { inputs, runs } = parse(text('github', 'action.yml')) as Action;
  for (const { uses, run = '' } of runs.steps) {
    if (uses !== undefined) t.match(uses, /@[0-9a-f]{40}$/, uses);
    t.notMatch(run, /\$\{\{/, 'no expression in a script');
  }
  const used = JSON.stringify(runs);
  for (const name of Object.keys(inputs)) t.ok(used.includes(`inputs.${name}`), name);
  t.end();
});

test('GitHub: pass, fail and error with their reports', (t) => {
  const { folder, step } = runner(t);
  const good = step('scan.sh', { PATHS: 'lora\n' });
  t.equal(good.status, 0, good.stderr);
  t.match(good.outputs, { code: '0', outcome: 'pass' });
  t.match(JSON.parse(readFileSync(good.outputs.report!, 'utf8')), { schema: 'steelyard/report/1' });
  t.match(readFileSync(good.outputs.sarif!, 'utf8'), '"uri": "lora/adapter_model.safetensors"');
  t.match(good.summary, /^## Steelyard scan: PASS/);
  t.match(good.stdout, /^::notice /m);

  mkdirSync(join(folder, 'bad'));
  writeFileSync(join(folder, 'bad', 'model.safetensors'), 'no');
  const bad = step('scan.sh', { PATHS: 'bad' });
  t.match(
    [bad.status, bad.outputs.code, bad.outputs.outcome],
    [0, '1', 'fail'],
    'the last step fails the job',
  );
  t.match(bad.stdout, /^::error file=bad\/model\.safetensors/m);

  const none = step('scan.sh', { PATHS: 'nowhere' });
  t.match(none.outputs, { code: '2', outcome: 'error' });
  t.equal(none.outputs.report, undefined);
  t.match(step('scan.sh', { PATHS: 'lora', FAIL_ON: 'info' }).outputs, { code: '1' });
  t.match(step('scan.sh', { PATHS: '' }).outputs, { code: '2', outcome: 'error' }, 'no path is no pass');
  t.end();
});

test('GitHub: a path or a name is no option, no script and no command', (t) => {
  const { folder, step } = runner(t);
  for (const name of ['--version', '$(touch pwned)', '; touch pwned', '::stop-commands::x'])
    cpSync(LORA, join(folder, name), { recursive: true });
  for (const name of ['--version', '$(touch pwned)', '; touch pwned', '::stop-commands::x']) {
    const { outputs, stdout } = step('scan.sh', { PATHS: name });
    t.match(outputs, { code: '0', outcome: 'pass' }, name);
    t.notMatch(stdout, /^::stop/m);
  }
  t.throws(() => readFileSync(join(folder, 'pwned')), 'nothing ran');
  t.end();
});

test('GitHub: one comment, kept up to date', (t) => {
  const { folder, program, step } = runner(t);
  const markdown = join(folder, 'markdown');
  writeFileSync(markdown, `## Steelyard\n${'x'.repeat(70_000)}`);
  // gh, as far as the script asks it: a list, a new comment, a changed one.
  program(
    'gh',
    `echo "$*" >> '${folder}/asked'
     case "$*" in
       *--paginate*) cat '${folder}/comments' 2>/dev/null || true ;;
       *POST*) echo 41 > '${folder}/comments'; cp "\${6#body=@}" '${folder}/body' ;;
       *PATCH*) cp "\${6#body=@}" '${folder}/body' ;;
     esac`,
  );
  const env = { MARKDOWN: markdown, NUMBER: '7', GH_TOKEN: 'secret' };
  for (const method of ['POST repos/acme/support/issues/7', 'PATCH repos/acme/support/issues/comments/41']) {
    writeFileSync(join(folder, 'asked'), '');
    const { status, stderr } = step('comment.sh', env);
    t.equal(status, 0, stderr);
    t.match(readFileSync(join(folder, 'asked'), 'utf8'), method);
    const body = readFileSync(join(folder, 'body'), 'utf8');
    t.match(body, /^<!-- steelyard -->\n## Steelyard/);
    t.ok(body.length < 65_536);
  }
  t.equal(step('comment.sh', { ...env, NUMBER: '7/../8' }).status, 2);
  t.end();
});

test('GitLab and Tekton: their commands are ours', async (t) => {
  const [spec, jobs] = parseAllDocuments(text('gitlab', 'scan.yml')).map((one) => one.toJS()) as [
    { spec: { inputs: Record<string, { default?: string }> } },
    Record<string, { script: string[]; artifacts: { reports: Record<string, string> } }>,
  ];
  const { folder } = runner(t);
  const given: Readonly<Record<string, string>> = { paths: 'lora' };
  const job = jobs.steelyard!;
  const command = job.script.at(-1)!.replaceAll(/\$\[\[ inputs\.([a-z-]+) \]\]/g, (_, name: string) => {
    t.ok(name in spec.spec.inputs, name);
    return given[name] ?? spec.spec.inputs[name]!.default ?? '';
  });
  const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
  const ended = spawnSync('sh', ['-c', command], { cwd: folder, env, encoding: 'utf8' });
  t.equal(ended.status, 0, ended.stderr);
  for (const file of Object.values(job.artifacts.reports))
    t.ok(readFileSync(join(folder, file)).length > 0, file);
  const task = parse(text('tekton', 'task.yaml')) as { spec: { steps: [{ args: string[] }] } };
  const args = task.spec.steps[0].args.map((one) => one.replace('$(params.path)', LORA));
  args[args.indexOf('steelyard.json')] = join(folder, 'tekton.json');
  t.equal((await steelyard(args)).code, 0);
});

test('our own lint takes the Kubernetes example', async (t) => {
  const { code, stdout } = await steelyard([
    'lint',
    at('kubernetes', 'init-container.yaml'),
    '--fail-on',
    'medium',
  ]);
  t.equal(code, 0, stdout);
});

for (const [program, args] of [
  ['shellcheck', ['github/scan.sh', 'github/comment.sh']],
  ['hadolint', ['container/Dockerfile']],
  ['zizmor', ['--offline', '--min-severity', 'medium', 'github/action.yml']],
] as const) {
  const there = spawnSync(program, ['--version']).error === undefined;
  test(`${program} has nothing to say`, {
    skip: there ? false : `NOT RUN: there is no ${program} here`,
  }, (t) => {
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: at(), encoding: 'utf8' });
    t.equal(status, 0, stdout + stderr);
    t.end();
  });
}
