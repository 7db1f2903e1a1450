// Tokens → expressions, by Jinja2's precedence.

import { OperandParser } from './operand.ts';
import type { Expression } from './syntax.ts';

export class ExpressionParser extends OperandParser {
  /** One expression, or a tuple where commas follow. */
  protected sequence(): Expression {
    const first = this.expression();
    if (!this.is('operator', ',')) return first;
    const items = [first];
    while (this.takeIf('operator', ',') && this.#startsExpression()) items.push(this.expression());
    return this.node({ kind: 'list', items, at: first.at }, items);
  }

  #startsExpression(): boolean {
    if (this.is('operator')) return this.is('operator', '(', '[', '{', '-', '+');
    return (
      this.is('string') ||
      this.is('number') ||
      (this.is('name') && !this.is('name', 'if', 'else', 'in', 'recursive'))
    );
  }

  protected expression(): Expression {
    return this.deeper(() => {
      let value = this.operation(0);
      while (this.is('name', 'if')) {
        const { at } = this.take();
        const test = this.operation(0);
        const otherwise = this.takeIf('name', 'else') ? this.expression() : null;
        value = this.node({ kind: 'choice', test, value, otherwise, at }, [test, value, otherwise]);
      }
      return value;
    });
  }

  /** Operators that bind at least as strongly as the level. */
  protected operation(level: number): Expression {
    const operators = LEVELS[level];
    if (operators === undefined) return this.operand();
    if (operators === NOT) {
      if (!this.is('name', 'not')) return this.operation(level + 1);
      const { at } = this.take();
      const operand = this.deeper(() => this.operation(level));
      return this.node({ kind: 'unary', operator: 'not', operand, at }, [operand]);
    }
    let left = this.operation(level + 1);
    for (;;) {
      const { token } = this;
      const operator = this.#operator(operators);
      if (operator === undefined) return left;
      const right = this.operation(level + 1);
      left = this.node({ kind: 'binary', operator, left, right, at: token!.at }, [left, right]);
    }
  }

  #operator(operators: readonly string[]): string | undefined {
    const { token } = this;
    if (token?.kind !== 'name' && token?.kind !== 'operator') return undefined;
    if (operators.includes(token.value)) return this.take().value;
    const isNotIn = token.value === 'not' && this.following?.value === 'in';
    if (!isNotIn || !operators.includes('in')) return undefined;
    this.take();
    this.take();
    return 'not in';
  }
}

const NOT = ['not'];
const LEVELS: readonly (readonly string[])[] = [
  ['or'],
  ['and'],
  NOT,
  ['==', '!=', '<', '>', '<=', '>=', 'in'],
  ['+', '-'],
  ['~'],
  ['*', '/', '//', '%'],
  ['**'],
];
