// Completions, as the shells run them.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { steelyard } from '../kit/steelyard.ts';

const missing = (shell: string): string | false =>
  spawnSync(shell, ['--version']).error === undefined ? false : `NOT RUN: there is no ${shell} here`;

/** What is offered after these words; the last one is begun. */
const CASES: readonly (readonly [
  words: readonly string[],
  offered: readonly string[],
  not: readonly string[],
])[] = [
  [['sc'], ['scan', 'schema'], ['sign']],
  [['bom', 'c'], ['create'], ['convert']],
  [['scan', '--fail'], ['--fail-on'], ['--floor']],
  [['scan', '--fail-on', 'h'], ['high'], ['--help']],
  [['bom', 'export', '--format', ''], ['cyclonedx'], ['create']],
];

async function script(t: Test, shell: string): Promise<string> {
  const { stdout, code, stderr } = await steelyard(['completion', shell]);
  t.equal(code, 0, stderr);
  const path = join(t.testdir({}), `steelyard.${shell}`);
  writeFileSync(path, stdout);
  return path;
}

function held(t: Test, offered: (words: readonly string[]) => string[]): void {
  for (const [words, wanted, not] of CASES) {
    const found = offered(words);
    for (const one of wanted) t.ok(found.includes(one), `${words.join(' ')} → ${one}: ${found.join(' ')}`);
    for (const one of not) t.notOk(found.includes(one), `${words.join(' ')} does not offer ${one}`);
  }
}

t.test('bash', { skip: missing('bash') }, async (t) => {
  const path = await script(t, 'bash');
  held(t, (words) => {
    const list = ['steelyard', ...words].map((one) => `'${one}'`).join(' ');
    const code = `source '${path}'; COMP_WORDS=(${list}); COMP_CWORD=${words.length}; _steelyard; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', code], { encoding: 'utf8', cwd: t.testdirName });
    t.equal(stderr, '');
    return stdout.split('\n');
  });
});

t.test('zsh', { skip: missing('zsh') }, async (t) => {
  const path = await script(t, 'zsh');
  held(t, (words) => {
    const list = ['steelyard', ...words].map((one) => `'${one}'`).join(' ');
    // What the completion system of zsh gives a function, and what it does with its words: it keeps those that begin so.
    const code = `compdef() {}; _files() {}; compadd() { shift; print -l -- "$@" }
      source '${path}'; words=(${list}); CURRENT=${words.length + 1}; _steelyard`;
    const { stdout, stderr } = spawnSync('zsh', ['-f', '-c', code], { encoding: 'utf8', cwd: t.testdirName });
    t.equal(stderr, '');
    return stdout.split('\n').filter((one) => one.startsWith(words.at(-1)!));
  });
});

t.test('fish', { skip: missing('fish') }, async (t) => {
  const path = await script(t, 'fish');
  held(t, (words) => {
    const code = `source '${path}'; complete -C '${['steelyard', ...words].join(' ')}'`;
    const env = { ...process.env, HOME: t.testdirName };
    const { stdout, stderr } = spawnSync('fish', ['-c', code], { encoding: 'utf8', cwd: t.testdirName, env });
    t.equal(stderr, '');
    return stdout.split('\n').map((line) => line.split('\t')[0]!);
  });
});
