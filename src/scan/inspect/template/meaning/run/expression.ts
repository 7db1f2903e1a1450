// Expressions → abstract values.

import type { Expression, Of } from '../../jinja/syntax.ts';
import { type Choice, either } from '../value/choice.ts';
import { isWords } from '../value/foreign.ts';
import { combinedSome, type Plain, times } from '../value/plain.ts';
import { chosenBy, compared, decidedBy, tested } from '../value/question.ts';
import { applied, concatenated, selectedBy } from '../value/transfer.ts';
import {
  CONSTANT,
  constant,
  join,
  NEVER,
  NUMBER,
  stringsOf,
  type Value,
  withChoice,
  withCut,
} from '../value/value.ts';
import { pathOf } from './evaluator.ts';
import { Invocation } from './invocation.ts';

const CONSTANTS = ['true', 'True', 'false', 'False', 'none', 'None'];
const COMPARISONS = ['==', '!=', 'in', 'not in', '<', '>', '<=', '>='];

export class Expressions extends Invocation {
  protected value(expression: Expression): Value {
    const value = this.valueByKind(expression);
    this.watch?.known(expression, value);
    return value;
  }

  protected valueByKind(expression: Expression): Value {
    switch (expression.kind) {
      case 'string':
      case 'number':
        return constant(expression.value);
      case 'name':
        return this.narrow(expression.name, this.name(expression.name));
      case 'list':
        return this.list(expression.items);
      case 'dict':
        return this.dict(expression);
      case 'member':
        return this.narrow(pathOf(expression), this.member(expression));
      case 'slice':
        return this.slice(expression);
      case 'call':
        return this.call(expression);
      case 'filter':
        return this.filtered(expression, expression.input === null ? NEVER : this.value(expression.input));
      case 'test': {
        const input = this.value(expression.input);
        const args = expression.args.map(({ value }) => this.value(value));
        return { ...NUMBER, choice: tested(input, expression.name, args, expression.at) };
      }
      case 'choice':
        return this.choice(expression);
      case 'binary':
        return this.binary(expression);
      case 'unary':
        return this.unary(expression);
    }
  }

  /** The decision that a condition is. */
  protected decision(test: Expression): Choice | null {
    return decidedBy(this.value(test), test.at);
  }

  /** A filter, or a chain of them whose innermost input is given. */
  protected filtered(node: Of<'filter'>, input: Value): Value {
    const args = node.args.map(({ value }) => this.value(value));
    const { value, by } = applied({ name: node.name, input, args, at: node.at });
    this.watch?.filter(node, input, args);
    this.watch?.said(value, by, node.at);
    this.watch?.built(stringsOf(value), node.at);
    return value;
  }

  protected name(name: string): Value {
    if (CONSTANTS.includes(name) && !this.store.has(name)) return CONSTANT;
    if (name === 'loop') return { ...NUMBER, choice: this.loop };
    if (this.macros.has(name))
      return join(
        this.store.attribute(`()${name}`),
        this.store.has(name) ? this.store.variable(name) : NEVER,
      );
    return this.read(name);
  }

  protected list(items: readonly Expression[]): Value {
    const values = items.map((item) => this.value(item));
    const all = values.reduce(join, NEVER);
    const isKnown = values.length > 0 && values.every(({ known, open }) => known.length > 0 && !open);
    const known: Plain[] = isKnown
      ? [values.map((value) => value.known[0]!)]
      : values.length === 0
        ? [[]]
        : [];
    // A list of what can each be several things is several lists: the first of each, and the others one by one.
    if (isKnown && values.some((value) => value.known.length > 1)) known.push(all.known);
    return { ...all, known, numeric: false, open: values.length > 0 && !isKnown };
  }

  protected choice({ test, value: first, otherwise, at }: Of<'choice'>): Value {
    const by = this.decision(test);
    const [a, b] = [this.value(first), otherwise === null ? constant('') : this.value(otherwise)];
    const value = withCut(withChoice(join(a, b), by), isWords(a.kind) === isWords(b.kind) ? null : by);
    this.watch?.said(value, by, at);
    return value;
  }

  protected binary({ operator, left: a, right: b, at }: Of<'binary'>): Value {
    const left = this.value(a);
    const right = this.value(b);
    if (COMPARISONS.includes(operator)) return { ...NUMBER, choice: compared(left, operator, right, at) };
    if (operator === 'and' || operator === 'or') {
      const by = decidedBy(left, at);
      this.watch?.said(right, by, at);
      return withChoice(join(left, right), by);
    }
    if (operator === '~' || (operator === '+' && !left.numeric && !right.numeric)) {
      const value = operator === '+' ? added(left, right) : concatenated(left, right);
      this.watch?.built(stringsOf(value), at);
      return value;
    }
    if (operator === '%' && !left.numeric) {
      const { value, by } = applied({
        name: 'format',
        input: left,
        args: b.kind === 'list' ? b.items.map((item) => this.value(item)) : [right],
        at,
      });
      this.watch?.said(value, by, at);
      this.watch?.built(stringsOf(value), at);
      return value;
    }
    if (operator === '*' && !(left.numeric && right.numeric)) return this.repeated(left, right, at);
    return arithmetic(operator, left, right, at);
  }

  protected repeated(left: Value, right: Value, at: number): Value {
    const [text, number] = left.numeric ? [right, left] : [left, right];
    const known = combinedSome(text.known, number.known, times);
    const { value, by } = selectedBy(
      { ...text, known, open: text.open || number.open, built: text.built || number.open },
      number,
      [],
      at,
    );
    this.watch?.said(value, by, at);
    this.watch?.built(stringsOf(value), at);
    return value;
  }

  protected unary({ operator, operand, at }: Of<'unary'>): Value {
    const value = this.value(operand);
    if (operator === 'not') return { ...NUMBER, choice: decidedBy(value, at) };
    const known = value.known.flatMap((plain) =>
      typeof plain === 'number' ? [operator === '-' ? -plain : plain] : [],
    );
    return { ...NUMBER, known, open: value.open || known.length === 0, choice: chosenBy(value, [], at) };
  }
}

function arithmetic(operator: string, left: Value, right: Value, at: number): Value {
  const known = combinedSome(left.known, right.known, (x, y) => {
    if (typeof x !== 'number' || typeof y !== 'number') return undefined;
    if (operator === '*') return x * y;
    return operator === '+' ? x + y : operator === '-' ? x - y : undefined;
  });
  const isKnown = known.length > 0 && !left.open && !right.open;
  const choice = either(chosenBy(left, [], at), chosenBy(right, [], at));
  return { ...NUMBER, known: isKnown ? known : [], open: !isKnown, choice };
}

/** `a + b`: texts, or lists. */
function added(left: Value, right: Value): Value {
  const isList = [left, right].some(
    ({ known, kind }) => kind === 'conversation' || known.some((plain) => typeof plain === 'object'),
  );
  if (!isList) return concatenated(left, right);
  const known = combinedSome(left.known, right.known, (x, y) =>
    typeof x === 'object' && typeof y === 'object' ? [...x, ...y] : undefined,
  );
  return { ...join(left, right), known: known.length > 0 ? known : join(left, right).known };
}
