// What strings an expression can come to, without evaluating the template: `'__cl' ~ 'ass__'`, `['__','class','__']|join`,
// `'%c%c'|format(95, 95)` and `'__ssalc__'[::-1]` all come to a name that a plain search does not see. A variable that is
// set more than once has several values; each is tried.

import { type Argument, type Expression, nodesOf, type Of, type Statement } from '../jinja/syntax.ts';
import { methodResult } from './string-method.ts';
import { combined, combinedSome, MOST_VALUES, same, sliced, small, times, type Value } from './value.ts';

export class Folding {
  readonly #variables = new Map<string, Value[]>();
  /** Variables that are also set to something that is not known. */
  readonly #open = new Set<string>();
  readonly #known = new Map<Expression, readonly Value[]>();

  constructor(template: readonly Statement[]) {
    for (const node of nodesOf(template)) {
      if (node.kind === 'set') this.#set(node);
      // Pieces that a loop takes one by one.
      if (node.kind === 'for' && node.targets.length === 1) {
        for (const value of this.#fold(node.iterable)) {
          for (const item of typeof value === 'number' ? [] : value) this.#learn(node.targets[0]!, [item]);
        }
      }
    }
    this.#known.clear();
  }

  /** All values that are known; empty: the expression depends on what the template is given. */
  values(expression: Expression): readonly Value[] {
    return this.#fold(expression);
  }

  /** Those of them that are strings. */
  strings(expression: Expression): string[] {
    return this.#fold(expression).filter((value) => typeof value === 'string');
  }

  /** Whether the values are all that there are: nothing in the expression is given from outside, or set to what is. */
  isComplete(expression: Expression): boolean {
    if (this.#fold(expression).length === 0) return false;
    for (const node of nodesOf([expression])) {
      const name = node.kind === 'name' || node.kind === 'member' ? nameOf(node) : undefined;
      if (name !== undefined && this.#open.has(name)) return false;
    }
    return true;
  }

  #set({ targets, value, body }: Of<'set'>): void {
    const [target] = targets;
    if (target === undefined || targets.length > 1) return;
    const name = nameOf(target);
    if (name === undefined) return;
    if (value === null) this.#learn(name, this.#output(body));
    else if (value.kind === 'call' && nameOf(value.callee) === 'namespace') {
      for (const { name: key, value: start } of value.args) this.#learn(`${name}.${key}`, this.#fold(start));
    } else this.#learn(name, this.#fold(value));
    this.#known.clear(); // what was folded with the old values
  }

  #learn(name: string, values: readonly Value[]): void {
    if (values.length === 0) this.#open.add(name);
    const known = this.#variables.get(name) ?? [];
    for (const value of values) {
      if (known.length < MOST_VALUES && !known.some((other) => same(other, value))) known.push(value);
    }
    this.#variables.set(name, known);
  }

  /** What {% set x %}…{% endset %} comes to, where nothing in it depends on anything. */
  #output(body: readonly Statement[]): readonly Value[] {
    let values: Value[] = [''];
    for (const statement of body) {
      if (statement.kind !== 'text' && statement.kind !== 'output') return [];
      const next = statement.kind === 'text' ? [statement.text] : this.#fold(statement.value);
      values = combined(values, next, (a, b) => `${a}${b}`);
    }
    return values;
  }

  #fold(expression: Expression): readonly Value[] {
    const known = this.#known.get(expression);
    if (known !== undefined) return known;
    const values = this.#foldKind(expression).filter(small).slice(0, MOST_VALUES);
    this.#known.set(expression, values);
    return values;
  }

  #foldKind(expression: Expression): readonly Value[] {
    switch (expression.kind) {
      case 'string':
      case 'number':
        return [expression.value];
      case 'name':
        return this.#variables.get(expression.name) ?? [];
      case 'list':
        return this.#list(expression.items);
      case 'dict':
        return this.#list(expression.keys);
      case 'member':
        return this.#member(expression);
      case 'slice':
        return this.#slice(expression);
      case 'call':
        return this.#call(expression);
      case 'filter': {
        const { name, input, args } = expression;
        if (name === 'default' || name === 'd')
          return [...this.#optional(input), ...this.#optional(args[0]?.value)];
        return this.#method(name, this.#optional(input), args);
      }
      case 'choice':
        return [...this.#fold(expression.value), ...this.#optional(expression.otherwise)];
      case 'binary':
        return this.#binary(expression);
      case 'unary':
        return this.#fold(expression.operand).flatMap((value) =>
          typeof value !== 'number' ? [] : expression.operator === '-' ? [-value] : [value],
        );
      default:
        return [];
    }
  }

  #optional(expression: Expression | null | undefined): readonly Value[] {
    return expression === null || expression === undefined ? [] : this.#fold(expression);
  }

  #list(items: readonly Expression[]): readonly Value[] {
    const values = items.map((item) => this.#fold(item)[0]);
    return values.every((value) => value !== undefined) ? [values] : [];
  }

  #member({ object, key }: Of<'member'>): readonly Value[] {
    const variable = object.kind === 'name' && key.kind === 'string' ? `${object.name}.${key.value}` : '';
    const stored = this.#variables.get(variable);
    if (stored !== undefined) return stored;
    return combinedSome(this.#fold(object), this.#fold(key), (value, index) =>
      typeof value === 'number' || typeof index !== 'number' ? undefined : value.at(index),
    );
  }

  #slice({ object, parts }: Of<'slice'>): readonly Value[] {
    const numbers = parts.map((part) => (part === null ? null : this.#fold(part)[0]));
    if (numbers.some((number) => number !== null && typeof number !== 'number')) return [];
    return this.#fold(object).flatMap((value): Value[] => {
      if (typeof value === 'number') return [];
      const items = sliced<Value>([...value], numbers as (number | null)[]);
      return [typeof value === 'string' ? items.join('') : items];
    });
  }

  #call({ callee, args }: Of<'call'>): readonly Value[] {
    // dict(__cl=1, ass__=2)|join spells a name with the names of arguments.
    if (nameOf(callee) === 'dict') return [args.flatMap(({ name }) => (name === null ? [] : [name]))];
    if (callee.kind !== 'member' || callee.key.kind !== 'string') return [];
    return this.#method(callee.key.value, this.#fold(callee.object), args);
  }

  #method(name: string, inputs: readonly Value[], args: readonly Argument[]): readonly Value[] {
    if (inputs.length === 0) return [];
    const values = args.map(({ value }) => this.#fold(value)[0]);
    if (!values.every((value) => value !== undefined)) return [];
    return inputs.flatMap((input) => methodResult(name, input, values) ?? []);
  }

  #binary({ operator, left, right }: Of<'binary'>): readonly Value[] {
    const a = this.#fold(left);
    const b = this.#fold(right);
    if (operator === 'and' || operator === 'or') return [...a, ...b];
    if (operator === '~') return combined(a, b, (x, y) => `${x}${y}`);
    if (operator === '%') {
      return combinedSome(a, b, (x, y) => methodResult('format', x, Array.isArray(y) ? y : [y])?.[0]);
    }
    if (operator === '*') return combinedSome(a, b, times);
    if (operator !== '+') return [];
    return combinedSome(a, b, (x, y): Value | undefined => {
      if (typeof x === 'string') return typeof y === 'string' ? x + y : undefined;
      if (typeof x === 'number') return typeof y === 'number' ? x + y : undefined;
      return typeof y === 'object' ? [...x, ...y] : undefined;
    });
  }
}

/** `x`, or `ns.x`: what can be assigned. */
function nameOf(target: Expression): string | undefined {
  if (target.kind === 'name') return target.name;
  if (target.kind !== 'member' || target.object.kind !== 'name' || target.key.kind !== 'string')
    return undefined;
  return `${target.object.name}.${target.key.value}`;
}
