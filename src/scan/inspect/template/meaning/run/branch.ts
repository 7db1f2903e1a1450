// What a branch knows: a value that passed its test, and what cannot be a character of a text.

import type { Expression } from '../../jinja/syntax.ts';
import { pathOf } from './evaluator.ts';

/** `x is mapping`: then its words are fields. */
export function mappingIn(test: Expression): string | undefined {
  if (test.kind === 'binary' && test.operator === 'and') return mappingIn(test.left) ?? mappingIn(test.right);
  return test.kind === 'test' && test.name === 'mapping' ? pathOf(test.input) : undefined;
}

/** What a branch knows of a value: a constant that does not pass the test is not there. */
export function narrowing(test: Expression): { path: string; passes: (text: string) => boolean } | undefined {
  if (test.kind === 'binary' && test.operator === 'and') return narrowing(test.left) ?? narrowing(test.right);
  if (test.kind === 'binary' && ['in', '=='].includes(test.operator)) {
    const [sought, of] = test.left.kind === 'string' ? [test.left, test.right] : [test.right, test.left];
    const path = pathOf(of);
    if (sought.kind !== 'string' || path === undefined || (test.operator === 'in' && test.left !== sought))
      return undefined;
    return {
      path,
      passes: (text) => (test.operator === '==' ? text === sought.value : text.includes(sought.value)),
    };
  }
  if (test.kind !== 'call' || test.callee.kind !== 'member' || test.callee.key.kind !== 'string')
    return undefined;
  const [first] = test.args;
  const path = pathOf(test.callee.object);
  const { value: method } = test.callee.key;
  if (path === undefined || first?.value.kind !== 'string' || !/^(?:starts|ends)with$/.test(method))
    return undefined;
  const { value: sought } = first.value;
  return {
    path,
    passes: (text) => (method === 'startswith' ? text.startsWith(sought) : text.endsWith(sought)),
  };
}

/** A test that no single character of a text passes: then what a loop takes are parts of a message. */
export function isPartTest(test: Expression): boolean {
  if (test.kind === 'unary') return isPartTest(test.operand);
  // A character has no method get: rendering would fail.
  if (test.kind === 'test')
    return test.input.kind === 'call' && pathOf(test.input.callee)?.endsWith('.get') === true;
  if (test.kind !== 'binary') return false;
  const { operator, left, right } = test;
  if (operator === 'or') return isPartTest(left) && isPartTest(right);
  if (operator === 'and') return isPartTest(left) || isPartTest(right);
  const isLong = (one: Expression): boolean => one.kind === 'string' && one.value.length > 1;
  if (operator === 'in')
    return right.kind === 'list' ? right.items.every(isLong) : isLong(left) && right.kind === 'name';
  return operator === '==' && isLong(right);
}
