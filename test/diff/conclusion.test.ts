// Planted edits and their honest look-alikes: every one is concluded to be what it is, and nothing else.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { CONCLUSIONS } from '../../src/diff/report/diff-report.ts';
import { diff } from '../../src/index.ts';
import type { Edit } from '../kit/edits/edit.ts';
import { HONEST, OTHER } from '../kit/edits/honest.ts';
import { writeEdited } from '../kit/edits/models.ts';
import { TAMPERING } from '../kit/edits/tampering.ts';
import { packageRoot } from '../kit/root.ts';

for (const [title, edits] of Object.entries({ tampering: TAMPERING, honest: HONEST, other: OTHER })) {
  t.test(title, async (t) => {
    const folder = t.testdir({ good: {}, suspect: {} });
    let written: Edit['model'] | undefined;
    for (const { kind, model, apply, conclusions, tensors } of edits) {
      if (model !== written) writeEdited(model(), join(folder, 'good'));
      written = model;
      const suspect = model();
      apply(suspect);
      writeEdited(suspect, join(folder, 'suspect'));
      const report = await diff(join(folder, 'good'), join(folder, 'suspect'));
      const kinds = [...new Set(report.conclusions.map((one) => one.kind))];
      t.same(kinds.sort(), [...conclusions].sort(), kind);
      t.equal(report.outcome, conclusions.length === 0 ? 'same' : 'changed', `${kind}: outcome`);
      for (const name of tensors)
        t.ok(
          report.conclusions.some((one) => one.tensors.includes(name)),
          `${kind}: names ${name}`,
        );
    }
  });
}

t.test('look-alikes raise no word of tampering, and every planted edit does', (t) => {
  const isTampering = ({ conclusions }: Edit) =>
    conclusions.some((kind) => CONCLUSIONS[kind] === 'tampering');
  t.ok(TAMPERING.every(isTampering));
  t.notOk(HONEST.some(isTampering));
  t.end();
});

t.test('every conclusion is met by an edit', (t) => {
  const met = new Set([...TAMPERING, ...HONEST, ...OTHER].flatMap(({ conclusions }) => conclusions));
  // An adapter has to be given for these: test/diff/merge.test.ts.
  const others = ['adapter-merge', 'merge-differs'];
  for (const kind of Object.keys(CONCLUSIONS)) t.ok(met.has(kind as never) || others.includes(kind), kind);
  t.end();
});

t.test('docs/edits.md is the table', (t) => {
  const path = join(packageRoot, 'docs', 'edits.md');
  const text = `${INTRODUCTION}\n${section('Tampering', TAMPERING)}\n${section('Honest look-alikes', HONEST)}\n${section('Neither', OTHER)}`;
  if (process.env.STEELYARD_UPDATE_GOLDEN === '1') writeFileSync(path, text);
  t.equal(existsSync(path) ? readFileSync(path, 'utf8') : '', text);
  t.end();
});

function section(title: string, edits: readonly Edit[]): string {
  const rows = edits.map(({ kind, conclusions }) => {
    const told = conclusions.map((one) => `${one} (${CONCLUSIONS[one]})`);
    return `| ${kind} | ${told.join(', ') || 'the same'} |`;
  });
  return `## ${title}\n\n${['| edit | conclusions |', '|---|---|', ...rows].join('\n')}\n`;
}

const INTRODUCTION = `# What a diff concludes

Written by \`test/diff/conclusion.test.ts\` from \`test/kit/edits/\`: each edit is made to a model, the model is held against the good one, and exactly
these conclusions must come. Seeded, so that the same bytes are compared everywhere. What the evidence does not support:

- An encrypted payload in low bits is told from training by which bits changed, not by what they say. Where every value is trained
  too, it cannot be told.
- A rank-one edit of 1e-3 of the norm, rounded to BF16, is told from noise in matrices of 1024 × 4096; in smaller ones rounding
  covers it, and the change is told as isolated.
- A backdoor that was trained in looks like any other fine-tune.
`;
