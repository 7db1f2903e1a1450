// Tokens → what operators stand between: literals, names, and what follows them (attributes, subscripts, calls, filters and
// tests, which Jinja2 binds more strongly than any operator).

import type { Argument, Expression } from './syntax.ts';
import { SyntaxFault } from './syntax-fault.ts';
import { TokenReader } from './token-reader.ts';

export abstract class OperandParser extends TokenReader {
  protected abstract expression(): Expression;
  /** One expression, or a tuple where commas follow. */
  protected abstract sequence(): Expression;

  protected operand(): Expression {
    if (!this.is('operator', '-', '+')) return this.#filtered(this.#postfixed(this.#primary()));
    const { at, value: operator } = this.take();
    const operand = this.deeper(() => this.operand());
    return this.node({ kind: 'unary', operator, operand, at }, [operand]);
  }

  #primary(): Expression {
    const { kind, value, at } = this.take();
    if (kind === 'name') return this.node({ kind: 'name', name: value, at }, []);
    if (kind === 'number')
      return this.node({ kind: 'number', value: Number(value.replaceAll('_', '')), at }, []);
    if (kind === 'string') {
      const parts = [value];
      while (this.is('string')) parts.push(this.take().value);
      return this.node({ kind: 'string', value: parts.join(''), at }, []);
    }
    if (kind === 'operator' && value === '(') {
      if (this.takeIf('operator', ')')) return this.node({ kind: 'list', items: [], at }, []);
      const inner = this.sequence();
      this.expect('operator', ')');
      return inner;
    }
    if (kind === 'operator' && value === '[') {
      const items = this.#list(']', () => this.expression());
      return this.node({ kind: 'list', items, at }, items);
    }
    if (kind === 'operator' && value === '{') return this.#dict(at);
    throw new SyntaxFault('an expression is missing', at);
  }

  #dict(at: number): Expression {
    const values: Expression[] = [];
    const keys = this.#list('}', () => {
      const key = this.expression();
      this.expect('operator', ':');
      values.push(this.expression());
      return key;
    });
    return this.node({ kind: 'dict', keys, values, at }, [...keys, ...values]);
  }

  #list<T>(end: string, item: () => T): T[] {
    const items: T[] = [];
    while (!this.takeIf('operator', end)) {
      if (items.length > 0) {
        this.expect('operator', ',');
        if (this.takeIf('operator', end)) break;
      }
      items.push(item());
    }
    return items;
  }

  #postfixed(start: Expression): Expression {
    let object = start;
    for (;;) {
      const at = this.token?.at ?? 0;
      if (this.takeIf('operator', '.')) object = this.#dotted(object, at);
      else if (this.takeIf('operator', '[')) object = this.#subscripted(object, at);
      else if (this.is('operator', '(')) {
        const args = this.arguments();
        object = this.node({ kind: 'call', callee: object, args, at }, [
          object,
          ...args.map(({ value }) => value),
        ]);
      } else return object;
    }
  }

  #dotted(object: Expression, at: number): Expression {
    const { kind, value } = this.take();
    if (kind !== 'name' && kind !== 'number') throw new SyntaxFault('a name is missing after a dot', at);
    const key =
      kind === 'name'
        ? this.node({ kind: 'string', value, at } as const, [])
        : this.node({ kind: 'number', value: Number(value), at } as const, []);
    return this.node({ kind: 'member', object, key, dotted: true, at }, [object, key]);
  }

  #subscripted(object: Expression, at: number): Expression {
    const parts: (Expression | null)[] = [];
    let part: Expression | null = null;
    while (!this.is('operator', ']')) {
      if (this.takeIf('operator', ':')) {
        parts.push(part);
        part = null;
      } else if (part === null) part = this.sequence();
      else throw new SyntaxFault('] is missing', this.token?.at ?? at);
    }
    this.take();
    if (parts.length > 0) {
      parts.push(part);
      return this.node({ kind: 'slice', object, parts, at }, [object, ...parts]);
    }
    if (part === null) throw new SyntaxFault('a subscript is missing', at);
    return this.node({ kind: 'member', object, key: part, dotted: false, at }, [object, part]);
  }

  /** `(a, b=1, *c, **d)` */
  protected arguments(): Argument[] {
    this.expect('operator', '(');
    return this.#list(')', (): Argument => {
      if (this.takeIf('operator', '*', '**')) return { name: null, value: this.expression() };
      const named = this.is('name') && this.following?.value === '=' && this.following?.kind === 'operator';
      if (!named) return { name: null, value: this.expression() };
      const name = this.take().value;
      this.take();
      return { name, value: this.expression() };
    });
  }

  #filtered(start: Expression): Expression {
    let input = start;
    for (;;) {
      const at = this.token?.at ?? 0;
      if (this.takeIf('operator', '|')) input = this.filter(input, at);
      else if (this.takeIf('name', 'is')) input = this.#test(input, at);
      // A call of what a filter returned: (x | attr('popen'))('id') needs the brackets, x | attr('popen')('id') does not.
      else if (this.is('operator', '(', '.', '[')) input = this.#postfixed(input);
      else return input;
    }
  }

  /** After the bar; `input` null for a filter block. */
  protected filter(input: Expression | null, at: number): Expression {
    const name = this.#dottedName();
    const args = this.is('operator', '(') ? this.arguments() : [];
    return this.node({ kind: 'filter', name, input, args, at }, [input, ...args.map(({ value }) => value)]);
  }

  #test(input: Expression, at: number): Expression {
    const negated = this.takeIf('name', 'not');
    const name = this.#dottedName();
    const args = this.is('operator', '(') ? this.arguments() : this.#testArgument();
    const test = this.node({ kind: 'test', name, input, args, at } as const, [
      input,
      ...args.map(({ value }) => value),
    ]);
    return negated ? this.node({ kind: 'unary', operator: 'not', operand: test, at }, [test]) : test;
  }

  /** `x is divisibleby 3`: one argument, without brackets. */
  #testArgument(): Argument[] {
    const starts = this.is('string') || this.is('number') || this.is('operator', '[', '{');
    const named =
      this.is('name') && !this.is('name', 'else', 'or', 'and', 'if', 'is', 'in', 'not', 'recursive');
    return starts || named ? [{ name: null, value: this.#postfixed(this.#primary()) }] : [];
  }

  #dottedName(): string {
    let name = this.expect('name').value;
    while (this.takeIf('operator', '.')) name += `.${this.expect('name').value}`;
    return name;
  }
}
