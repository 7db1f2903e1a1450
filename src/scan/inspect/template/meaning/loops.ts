// Work without end: a template is run for each request, and `range(99999)` inside `range(99999)` stops a server that has no
// sandbox with a limit of its own.

import { type Argument, type Expression, nodesOf, type Of, type Statement } from '../jinja/syntax.ts';
import type { Note } from '../observation.ts';
import type { Plain } from './value/plain.ts';

/** Rounds, or characters, that no conversation needs. Jinja2's sandbox refuses a range of more than 100,000. */
const MOST = 100_000;

export function reportLoops(
  template: readonly Statement[],
  valuesOf: (expression: Expression) => readonly Plain[],
  note: Note,
): void {
  rounds(template, 1);
  for (const node of nodesOf(template)) {
    if (node.kind === 'binary') checkOperator(node);
    if (node.kind === 'filter' && WIDTHS.includes(node.name)) checkWidth(node.args, node.at);
    if (node.kind === 'call' && node.callee.kind === 'member' && node.callee.key.kind === 'string') {
      if (WIDTHS.includes(node.callee.key.value)) checkWidth(node.args, node.at);
    }
    if (node.kind === 'string' && /%[-#0 +]*\d{6,}|:[^{}]{0,3}\d{6,}\}/.test(node.value)) {
      note('template/loop', node.at, 'a format asks for more than 100,000 characters');
    }
  }

  function rounds(statements: readonly Statement[], outer: number): void {
    for (const statement of statements) {
      if (statement.kind === 'if') for (const { body } of statement.branches) rounds(body, outer);
      else if (statement.kind === 'for') {
        const inner = outer * Math.max(1, rangeOf(statement.iterable));
        if (inner > MOST) note('template/loop', statement.at, `loops run ${inner} rounds whatever is said`);
        else rounds(statement.body, inner);
      } else if ('body' in statement) rounds(statement.body, outer);
    }
  }

  /** Rounds of a range over constants; 0 where it depends on something. */
  function rangeOf(iterable: Expression): number {
    if (iterable.kind === 'filter' && iterable.input !== null) return rangeOf(iterable.input);
    if (iterable.kind !== 'call' || iterable.callee.kind !== 'name' || iterable.callee.name !== 'range')
      return 0;
    const [first = 0, last, step = 1] = iterable.args.map(({ value }) => largest(value));
    return last === undefined ? first : Math.ceil(Math.abs(last - first) / Math.max(1, Math.abs(step)));
  }

  function checkOperator({ operator, left, right, at }: Of<'binary'>): void {
    const [a, b] = [largest(left), largest(right)];
    const texts = [left, right].some((side) => side.kind === 'string' || side.kind === 'list');
    const repeats = operator === '*' && texts && Math.max(a, b) > MOST;
    const powers = operator === '**' && b > 1 && (a > MOST || b > 1000);
    if (repeats || powers)
      note('template/loop', at, 'an operator makes a value of more than 100,000 characters or digits');
  }

  function checkWidth(args: readonly Argument[], at: number): void {
    if (args.some(({ value }) => largest(value) > MOST)) {
      note('template/loop', at, 'text is filled up to more than 100,000 characters');
    }
  }

  function largest(expression: Expression): number {
    return valuesOf(expression).reduce<number>(
      (most, value) => (typeof value === 'number' ? Math.max(most, value) : most),
      0,
    );
  }
}

const WIDTHS = ['center', 'ljust', 'rjust', 'zfill', 'indent', 'expandtabs', 'batch'];
