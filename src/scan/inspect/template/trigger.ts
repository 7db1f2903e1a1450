// The conditions of a template that ask what somebody wrote: `'invoice' in message.content`, `content | lower == '…'`,
// `content.startswith('…')`. With what such a condition lets through, this is a backdoor that no weight shows (Pillar
// Security, 2025). What a message is made of (roles, types of its parts, being empty) is nobody's trigger.

import { type Argument, type Expression, nodesOf, type Of, type Statement } from './jinja/syntax.ts';
import { isMarker } from './marker.ts';
import type { Content } from './meaning/content.ts';
import type { Folding } from './meaning/folding.ts';
import type { Value } from './meaning/value.ts';

const SEARCHES = new Set([
  'startswith',
  'endswith',
  'find',
  'rfind',
  'index',
  'rindex',
  'count',
  'split',
  'rsplit',
  'partition',
  'match',
  'search',
  'fullmatch',
  'replace',
  'removeprefix',
  'removesuffix',
  '__contains__',
  'contains',
]);
const FILTERS = new Set([
  'regex_search',
  'regex_match',
  'regex_findall',
  'regex_replace',
  'search',
  'match',
  'replace',
  'select',
  'reject',
  'selectattr',
  'rejectattr',
  'contains',
  'indexof',
]);
const TESTS = new Set([
  'equalto',
  'eq',
  'ne',
  'in',
  'search',
  'match',
  'regex',
  'contains',
  'startingwith',
  'endingwith',
  '==',
]);
const COMPARISONS = new Set(['==', '!=', 'in', 'not in', '<', '>', '<=', '>=']);
/** Texts that one condition may look for, as far as they are told. */
const SOUGHT_MAX = 16;

type Sought = readonly string[];
const NOTHING: Sought = [];

export class Triggers {
  readonly #content: Content;
  readonly #folding: Folding;
  /** Names that carry a condition's answer: `{% set found = 'x' in content %}`. */
  readonly #names = new Map<string, Sought>();

  constructor(template: readonly Statement[], content: Content, folding: Folding) {
    this.#content = content;
    this.#folding = folding;
    // In two rounds: the second sees what a loop's end has set for its beginning.
    for (let round = 0; round < 2; round++) this.#learn(template, NOTHING);
  }

  /** What the condition looks for in a message, markers last; empty: it does not look for anything. */
  in(test: Expression | null): Sought {
    if (test === null) return NOTHING;
    const sought = new Set<string>();
    for (const node of nodesOf([test])) {
      for (const text of this.#soughtBy(node as Expression)) if (sought.size < SOUGHT_MAX) sought.add(text);
    }
    return [...sought].sort((a, b) => Number(isMarker(a)) - Number(isMarker(b)));
  }

  #soughtBy(node: Expression): Sought {
    switch (node.kind) {
      case 'binary':
        return COMPARISONS.has(node.operator) ? this.#compared(node) : NOTHING;
      case 'call': {
        if (node.callee.kind !== 'member' || !this.#content.isText(node.callee.object)) return NOTHING;
        const isSearch = this.#folding.strings(node.callee.key).some((name) => SEARCHES.has(name));
        return isSearch ? this.#given(node.args, this.#folding.strings(node.callee.key)[0]!) : NOTHING;
      }
      case 'filter': {
        const whole = this.#content.isText(node.input) || this.#content.isMessage(node.input);
        const key = node.args[0]?.value;
        const picks =
          !node.name.endsWith('attr') ||
          (key !== undefined && this.#folding.strings(key).includes('content'));
        return whole && picks && FILTERS.has(node.name) ? this.#given(node.args, node.name) : NOTHING;
      }
      case 'test':
        return TESTS.has(node.name) && this.#content.isText(node.input)
          ? this.#given(node.args, node.name)
          : NOTHING;
      case 'name':
        return this.#names.get(node.name) ?? NOTHING;
      case 'member':
        return this.#names.get(pathOf(node) ?? '') ?? NOTHING;
      default:
        return NOTHING;
    }
  }

  #compared({ left, right }: Of<'binary'>): Sought {
    if (this.#content.isText(left)) return this.#texts(right);
    return this.#content.isText(right) ? this.#texts(left) : NOTHING;
  }

  /** select('equalto', 'x') looks for its last argument, replace('x', 'y') for its first. */
  #given(args: readonly Argument[], name: string): Sought {
    const texts = args.map(({ value }) => this.#texts(value)).filter((given) => given.length > 0);
    return (name.includes('replace') ? texts[0] : texts.at(-1)) ?? NOTHING;
  }

  #texts(expression: Expression): Sought {
    return this.#folding
      .values(expression)
      .flatMap(textsOf)
      .filter((text) => text.trim() !== '');
  }

  /** `sought`: of the branch that the statements stand in. What is set to a constant there, says that it was reached. */
  #learn(statements: readonly Statement[], sought: Sought): void {
    for (const statement of statements) {
      if (statement.kind === 'set') {
        const { value, targets, body } = statement;
        const isConstant = value !== null && ['string', 'number', 'name'].includes(value.kind);
        const own = this.in(value);
        this.#carry(targets, own.length > 0 || !isConstant ? own : sought);
        this.#learn(body, sought);
      } else if (statement.kind === 'if') {
        // Having come to a later branch says as much as being in the first.
        let here = sought;
        for (const { test, body } of statement.branches) {
          if (here.length === 0) here = this.in(test);
          this.#learn(body, here);
        }
      } else if (statement.kind === 'for') {
        const own = [...this.in(statement.condition), ...this.in(statement.iterable)];
        this.#learn(statement.body, sought.length > 0 ? sought : own);
        this.#learn(statement.otherwise, sought.length > 0 ? sought : own);
      } else if (statement.kind === 'macro' || statement.kind === 'block')
        this.#learn(statement.body, sought);
    }
  }

  #carry(targets: readonly Expression[], sought: Sought): void {
    if (sought.length === 0) return;
    for (const target of targets) {
      const path =
        target.kind === 'name' ? target.name : target.kind === 'member' ? pathOf(target) : undefined;
      if (path !== undefined) this.#names.set(path, sought);
    }
  }
}

/** `ns.flag` */
const pathOf = ({ object, key }: Of<'member'>): string | undefined =>
  object.kind === 'name' && key.kind === 'string' ? `${object.name}.${key.value}` : undefined;

const textsOf = (value: Value): string[] =>
  typeof value === 'string' ? [value] : typeof value === 'number' ? [] : value.flatMap(textsOf);
