// Every command that README and the guides show is run as it stands, in a folder as they describe it. A command exits with 0, or
// with what the comment behind it says: `# exit 1`.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { patience } from '../kit/patience.ts';
import { writeSandbox } from '../kit/specimen/sandbox.ts';
import { MAIN } from '../kit/steelyard.ts';
import { packageRoot, treeOf } from './house.ts';

t.setTimeout(patience(300_000));

/** Guides whose commands need a server, a cluster or an engine; the tests named run them. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'pull.md': 'test/pull/pull.test.ts',
  'canary.md': 'test/canary/report.test.ts',
  'drift.md': 'test/serving/drift.test.ts',
  'serving.md': 'test/serving/lint/lint.test.ts',
  'gate.md': 'test/gate/commands.test.ts',
  'provenance.md': 'test/serving/header.test.ts',
  'keys.md': 'test/proof/keys/pkcs11.test.ts',
};

t.test('guides that are run elsewhere have their test', (t) => {
  for (const path of Object.values(ELSEWHERE)) t.ok(existsSync(join(packageRoot, path)), path);
  t.end();
});

interface Shown {
  readonly command: string;
  readonly code: number;
}

/** The commands of a document's code blocks, fenced or indented, in order. A line that ends with `\` goes on. */
function shownIn(text: string): Shown[] {
  const lines = text.replaceAll(/\\\n\s*/g, ' ').split('\n');
  return lines.flatMap((line) => {
    const found = /^\s*(?:\$ |- run: )?((?:npx )?steelyard (?!COMMAND|RULE).*?)(?:\s+#\s*(.*))?$/.exec(line);
    if (found === null || !/^(\s{4}|steelyard|npx|\s*- run)/.test(line)) return [];
    const code = /exit (\d+)/.exec(found[2] ?? '')?.[1] ?? '0';
    return [{ command: found[1]!.replace(/^npx /, ''), code: Number(code) }];
  });
}

const documents = treeOf('docs')
  .files.filter((path) => /^docs\/[^/]+\.md$/.test(path))
  .concat('README.md')
  .filter((path) => !(basename(path) in ELSEWHERE));

for (const path of documents) {
  const shown = shownIn(readFileSync(join(packageRoot, path), 'utf8'));
  if (shown.length === 0) continue;
  t.test(path, (t) => {
    const folder = t.testdir({});
    writeSandbox(folder);
    const bin = join(folder, '.bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'steelyard'), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
    chmodSync(join(bin, 'steelyard'), 0o755);
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, NO_COLOR: '1' };
    for (const { command, code } of shown) {
      const ended = spawnSync('sh', ['-c', command], {
        cwd: folder,
        env,
        encoding: 'utf8',
        maxBuffer: 1 << 28,
        timeout: patience(60_000),
      });
      t.equal(ended.status, code, `${command}\n${ended.stdout.slice(-1500)}\n${ended.stderr.slice(-1500)}`);
    }
    t.end();
  });
}
