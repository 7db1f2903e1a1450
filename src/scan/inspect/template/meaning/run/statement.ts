// Runs a template on abstract values: every branch, every loop once a round, until no variable can hold anything new; then
// once more to tell what was found. Linear in the size of the template; nothing is rendered.

import type { Expression, Of, Statement } from '../../jinja/syntax.ts';
import { type Choice, either, isOpenChoice } from '../value/choice.ts';
import { isSearchable } from '../value/foreign.ts';
import { LENGTH } from '../value/question.ts';
import { concatenated } from '../value/transfer.ts';
import { constant, join, NEVER, type Value, withChoice, withCut } from '../value/value.ts';
import { Blocks, type Effect, NOTHING, type StatementWatch } from './block.ts';
import { isPartTest, mappingIn, narrowing } from './branch.ts';
import type { Scope } from './evaluator.ts';
import { isPairs, keyOf, placed, roundOf, valuesOf } from './round.ts';
import { bodiesOf, namesOf, unfiltered } from './scope.ts';

/** Rounds until a template is given up to be followed: each makes some variable hold more, and none can hold much. */
const MOST_ROUNDS = 24;

export class Interpreter extends Blocks {
  readonly #leaves = new Map<Statement, Choice>();
  #left = false;
  readonly #template: readonly Statement[];

  constructor(template: readonly Statement[]) {
    super();
    this.#template = template;
    this.#scope(template, []);
  }

  /** Finds the macros, and the names that each has for itself. */
  #scope(statements: readonly Statement[], around: readonly Scope[]): void {
    for (const statement of statements) {
      if (statement.kind !== 'macro') {
        for (const body of bodiesOf(statement)) this.#scope(body, around);
        continue;
      }
      const scopes = [{ id: String(statement.at), names: namesOf(statement) }, ...around];
      this.macros.set(statement.name, statement);
      this.scopeOf.set(statement.name, scopes);
      this.#scope(statement.body, scopes);
    }
  }

  /** Until nothing is new; false: it did not come to rest. `turn` is called between rounds, and may throw. */
  settle(turn: () => void): boolean {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      turn();
      this.run(this.#template);
      const changed = this.store.takeChange();
      if (!changed && !this.#left) return true;
      this.#left = false;
    }
    return false;
  }

  tell(watch: StatementWatch): void {
    this.watch = watch;
    this.telling = watch;
    this.run(this.#template);
  }

  protected run(statements: readonly Statement[]): Effect {
    const before = this.by;
    let output = NOTHING.output;
    let words = false;
    let leave: Choice | null = null;
    for (const statement of statements) {
      const effect = this.#one(statement);
      output = concatenated(output, effect.output);
      words ||= effect.words;
      leave = either(leave, effect.leave);
      if (effect.leave !== null) this.by = either(this.by, effect.leave);
    }
    this.by = before;
    return { output, words, leave };
  }

  #under(by: Choice | null, statements: readonly Statement[]): Effect {
    const before = this.by;
    this.by = either(before, by);
    const effect = this.run(statements);
    this.by = before;
    return effect;
  }

  #one(statement: Statement): Effect {
    switch (statement.kind) {
      case 'text':
        return this.put(constant(statement.text), statement.at);
      case 'output':
        return this.put(this.value(statement.value), statement.at);
      case 'if':
        return this.#if(statement);
      case 'for':
        return this.#for(statement);
      case 'set':
        return this.#set(statement);
      case 'macro':
        return this.macro(statement);
      case 'load':
        this.value(statement.value);
        return NOTHING;
      case 'block':
        return this.block(statement);
    }
  }

  #if({ branches, at }: Of<'if'>): Effect {
    let by: Choice | null = null;
    let output = NEVER;
    let leave: Choice | null = null;
    const said: boolean[] = [];
    const { loop } = this;
    for (const { test, body } of branches) {
      // A part of a message is counted here, and no character of it.
      if (test !== null && isPartTest(test)) this.loop = null;
      if (test !== null) by = either(by, this.decision(test));
      const effect = this.#narrowedBy(test, () => this.#under(by, body));
      output = join(output, effect.output);
      said.push(effect.words);
      if (effect.leave !== null) leave = either(leave, either(by, effect.leave));
      this.loop = loop;
    }
    if (branches.at(-1)!.test !== null) {
      said.push(false);
      output = join(output, constant(''));
    }
    const words = said.includes(true);
    if (isOpenChoice(by) && words && said.includes(false)) this.telling?.dropped(by, at);
    return { output: withChoice(output, by), words, leave };
  }

  #narrowedBy(test: Expression | null, run: () => Effect): Effect {
    const mapping = test === null ? undefined : mappingIn(test);
    if (mapping !== undefined && !this.mappings.has(mapping)) {
      this.mappings.add(mapping);
      const effect = this.#narrowedBy(test, run);
      this.mappings.delete(mapping);
      return effect;
    }
    const narrow = test === null ? undefined : narrowing(test);
    if (narrow === undefined || this.narrowed.has(narrow.path)) return run();
    this.narrowed.set(narrow.path, narrow.passes);
    const effect = run();
    this.narrowed.delete(narrow.path);
    return effect;
  }

  #for(statement: Of<'for'>): Effect {
    const { targets, iterable, condition, body, otherwise } = statement;
    const over = this.value(iterable);
    const [loop, item, names, scopes] = [this.loop, this.item, this.targets, this.scopes];
    this.scopes = [
      { id: String(statement.at), names: new Map(targets.map((target) => [target, 'hiding'])) },
      ...scopes,
    ];
    const isLong = isSearchable(over.kind) && over.kind !== 'tree';
    this.loop = either(over.choice, isLong ? { at: statement.at, sought: [LENGTH], protocol: false } : null);
    this.#bindRound(targets, iterable, over);
    this.targets = targets;
    const by = either(over.choice, condition === null ? null : this.decision(condition));
    const effect = this.#under(either(by, this.#leaves.get(statement) ?? null), body);
    if (isOpenChoice(effect.leave) && !this.#leaves.has(statement)) {
      this.#leaves.set(statement, effect.leave);
      this.#left = true;
    }
    [this.loop, this.item, this.targets, this.scopes] = [loop, item, names, scopes];
    const open = isOpenChoice(effect.leave) ? effect.leave : isOpenChoice(by) ? by : null;
    if (open !== null && effect.words) this.telling?.dropped(open, statement.at);
    const rest = this.#under(by, otherwise);
    const once = join(effect.output, constant(''));
    const several = { ...once, open: true, built: once.built || once.own.length > 0 };
    return {
      output: withChoice(join(several, rest.output), by),
      words: effect.words || rest.words,
      leave: rest.leave,
    };
  }

  #bindRound(targets: readonly string[], iterable: Expression, over: Value): void {
    const one = { ...roundOf(over), choice: over.choice };
    this.item = one;
    const pairs = targets.length > 1 && isPairs(iterable);
    targets.forEach((target, index) => {
      if (pairs && index === 0) this.write(target, { ...keyOf(over), choice: over.choice });
      else if (pairs) this.write(target, valuesOf(one, over));
      else this.write(target, targets.length === 1 ? one : placed(one, index));
    });
  }

  #set({ targets, value, body, at }: Of<'set'>): Effect {
    const given = value === null ? this.filteredBody(targets[0]!, body) : this.value(value);
    const isLiteral = value !== null && ['string', 'number', 'name', 'list'].includes(value.kind);
    const isList = value?.kind === 'binary' && (value.left.kind === 'list' || value.right.kind === 'list');
    const isCount =
      !isLiteral &&
      !isList &&
      given.fields === null &&
      (given.numeric || given.kind === 'own' || given.kind === 'size');
    const by = isCount ? either(this.by, this.loop) : this.by;
    // A constant says that it was reached, whatever it is.
    const kept = withCut(withChoice(given, by), this.by);
    this.telling?.said(given, this.by, at);
    targets.forEach((target, index) => {
      const one = targets.length === 1 ? kept : placed(kept, index);
      const bare = unfiltered(target);
      if (bare.kind === 'name') this.write(bare.name, one);
      else if (bare.kind === 'member') {
        const key = this.value(bare.key);
        for (const name of key.known) this.store.put(`.${name}`, one);
      }
    });
    return NOTHING;
  }
}
