// What an evaluation has at hand: variables, macros, the loop that is run, who listens.

import type { Argument, Expression, Of } from '../../jinja/syntax.ts';
import type { Choice } from '../value/choice.ts';
import { isWords } from '../value/foreign.ts';
import { Store } from '../value/store.ts';
import { join, NEVER, type Value } from '../value/value.ts';

/** What is told of the evaluation; nothing before the store has settled. */
export interface Watch {
  /** Texts of the template's own that a decision lets through. */
  said(value: Value, by: Choice | null, at: number): void;
  /** `object.key` and `object[key]`. */
  member(node: Of<'member'>, object: Value, key: Value): void;
  call(node: Of<'call'>, callee: Value, names: readonly string[]): void;
  filter(node: Of<'filter'>, input: Value, args: readonly Value[]): void;
  method(name: string, object: Value, node: Of<'call'>): void;
  known(expression: Expression, value: Value): void;
  /** A value that was put together from strings. */
  built(texts: readonly string[], at: number): void;
}

/** A macro of the template. */
export type Macro = Pick<Of<'macro'>, 'name' | 'parameters'>;

export interface Scope {
  readonly id: string;
  readonly names: ReadonlyMap<string, 'hiding' | 'added'>;
}

export abstract class Evaluator {
  protected readonly store = new Store();
  protected readonly macros = new Map<string, Macro>();
  /** By what the number of rounds of the loop is chosen that is being run. */
  protected loop: Choice | null = null;
  protected item: Value = NEVER;
  protected targets: readonly string[] = [];
  protected watch: Watch | null = null;
  /** The macros around, the innermost first, each with the names of its own. */
  protected scopes: readonly Scope[] = [];
  protected readonly scopeOf = new Map<string, readonly Scope[]>();
  /** Decisions under which a path holds only what passes. */
  protected readonly mappings = new Set<string>();
  protected readonly narrowed = new Map<string, (text: string) => boolean>();

  /** What an expression comes to. */
  protected abstract value(expression: Expression): Value;

  /** A variable: of the macros around, then of the template. */
  protected read(name: string): Value {
    let value = NEVER;
    for (const scope of this.scopes) {
      const local = scope.names.get(name);
      if (local === undefined) continue;
      const key = `${name}@${scope.id}`;
      if (this.store.has(key)) value = join(value, this.store.variable(key));
      // A parameter, or what a loop takes, hides what is outside.
      if (local === 'hiding') return value;
    }
    return value === NEVER || this.store.has(name) ? join(value, this.store.variable(name)) : value;
  }

  protected write(name: string, value: Value): void {
    const scope = this.scopes.find(({ names }) => names.has(name));
    this.store.put(scope === undefined ? name : `${name}@${scope.id}`, value);
  }

  protected narrow(path: string | undefined, given: Value): Value {
    const isMapping = path !== undefined && this.mappings.has(path) && isWords(given.kind);
    const value: Value = isMapping ? { ...given, kind: 'conversation' } : given;
    const passes = path === undefined ? undefined : this.narrowed.get(path);
    if (passes === undefined) return value;
    const own = value.own.filter(passes);
    return {
      ...value,
      own,
      known: value.known.filter((plain) => typeof plain !== 'string' || passes(plain)),
    };
  }
}

export const parameterName = ({ name, value }: Argument): string =>
  name ?? (value.kind === 'name' ? value.name : '');

/** `x`, `x.y.z`: what a branch may know more of. */
export function pathOf(expression: Expression): string | undefined {
  if (expression.kind === 'name') return expression.name;
  if (expression.kind !== 'member' || expression.key.kind !== 'string') return undefined;
  const object = pathOf(expression.object);
  return object === undefined ? undefined : `${object}.${expression.key.value}`;
}
