// Statements with a body of their own: macros, blocks of filters and calls, and what they put out.

import type { Expression, Of, Statement } from '../../jinja/syntax.ts';
import { type Choice, isOpenChoice } from '../value/choice.ts';
import { isWords } from '../value/foreign.ts';
import { constant, type Value, withChoice } from '../value/value.ts';
import { parameterName, type Watch } from './evaluator.ts';
import { Expressions } from './expression.ts';

/** What statements do. */
export interface Effect {
  /** What they put out. */
  readonly output: Value;
  /** Somebody's words are among it. */
  readonly words: boolean;
  /** A decision after which the rest of the loop is left out. */
  readonly leave: Choice | null;
}

/** What is told of statements. */
export interface StatementWatch extends Watch {
  /** A piece of the prompt: after the decision, in order. */
  put(value: Value, by: Choice | null, at: number): void;
  /** Somebody's words are left out, or changed. */
  dropped(by: Choice, at: number): void;
}

export const NOTHING: Effect = { output: constant(''), words: false, leave: null };
export abstract class Blocks extends Expressions {
  /** The decisions that led here. */
  protected by: Choice | null = null;
  protected telling: StatementWatch | null = null;

  protected abstract run(statements: readonly Statement[]): Effect;

  protected put(value: Value, at: number): Effect {
    const isOfSomebody = isWords(value.kind);
    this.telling?.put(value, this.by, at);
    if (isOfSomebody && isOpenChoice(value.cut)) this.telling?.dropped(value.cut, at);
    return { output: withChoice(value, this.by), words: isOfSomebody, leave: null };
  }

  protected filteredBody(target: Expression, body: readonly Statement[]): Value {
    return this.through(target, this.apart(body).output);
  }

  /** What is put out here goes into a value, not into the prompt. */
  protected apart(body: readonly Statement[]): Effect {
    const telling = this.telling;
    this.telling =
      telling === null
        ? null
        : { ...telling, put: (value, by, at) => telling.said(value, by, at), dropped: () => undefined };
    const effect = this.run(body);
    this.telling = telling;
    return effect;
  }

  protected through(chain: Expression, input: Value): Value {
    if (chain.kind !== 'filter') return input;
    return this.filtered(chain, chain.input === null ? input : this.through(chain.input, input));
  }

  protected macro({ name, parameters, body }: Of<'macro'>): Effect {
    const [by, scopes] = [this.by, this.scopes];
    this.scopes = this.scopeOf.get(name) ?? [];
    for (const parameter of parameters)
      if (parameter.name !== null) this.write(parameterName(parameter), this.value(parameter.value));
    this.by = null;
    const { output } = this.apart(body);
    [this.by, this.scopes] = [by, scopes];
    this.store.put(`.()${name}`, output);
    return NOTHING;
  }

  protected block({ tag, values, body, at }: Of<'block'>): Effect {
    const [first] = values;
    if (tag === 'break' || tag === 'continue')
      return { ...NOTHING, leave: isOpenChoice(this.by) ? this.by : null };
    if (tag === 'with') {
      for (let index = 0; index + 1 < values.length; index += 2) {
        const target = values[index]!;
        if (target.kind === 'name')
          this.write(target.name, withChoice(this.value(values[index + 1]!), this.by));
      }
    } else if (tag === 'call') {
      const { output, words } = this.apart(body);
      this.store.put('caller', output);
      for (const parameter of values.slice(0, -1))
        if (parameter.kind === 'name') this.write(parameter.name, this.store.variable('%call'));
      const effect = this.put(this.value(values.at(-1)!), at);
      return { ...effect, words: effect.words || words };
    } else if (tag === 'filter' && first !== undefined)
      return this.put(this.through(first, this.apart(body).output), at);
    else if (tag === 'print' && first !== undefined) return this.put(this.value(first), at);
    else for (const value of values) this.value(value);
    return this.run(body);
  }
}
