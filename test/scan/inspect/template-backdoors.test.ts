// Templates that do harm, made by fixtures/template-backdoors.py and each proven with Jinja2 to do it: what a scan finds of them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { RULES } from '../../../src/rules/rules.ts';
import { checkTemplate } from '../../../src/scan/inspect/template/check.ts';
import { packageRoot } from '../../kit/root.ts';

interface Made {
  readonly form: string;
  readonly source: string;
}

const file = join(packageRoot, 'fixtures', 'vectors', 'template-backdoors.json');
const made: Record<'behaviour' | 'commands', Made[]> = JSON.parse(readFileSync(file, 'utf8'));

/** What no default gate lets pass. */
const isFound = ({ source }: Made): boolean =>
  checkTemplate(source).some(({ rule }) => ['high', 'critical'].includes(RULES.get(rule)!.severity));

t.test('of the behavioural backdoors at least 98 in 100 are found', (t) => {
  t.ok(made.behaviour.length >= 300);
  const missed = made.behaviour.filter((one) => !isFound(one)).map(({ form }) => form);
  t.ok(missed.length <= made.behaviour.length * 0.02, `missed: ${missed.join(', ')}`);
  t.end();
});

t.test('of the templates that run a command all are found', (t) => {
  t.ok(made.commands.length >= 200);
  t.same(
    made.commands.filter((one) => !isFound(one)).map(({ form }) => form),
    [],
  );
  t.end();
});
