// Calls: functions of the renderer, macros of the template, methods of values. What is not known of them comes to something unknown.

import type { Argument, Expression, Of } from '../../jinja/syntax.ts';
import { type Choice, either } from '../value/choice.ts';
import { isSearchable } from '../value/foreign.ts';
import { chosenBy } from '../value/question.ts';
import { applied } from '../value/transfer.ts';
import { constant, foreign, join, NEVER, NUMBER, stringsOf, type Value } from '../value/value.ts';
import { type Macro, parameterName } from './evaluator.ts';
import { Lookup } from './lookup.ts';

const ADDING = ['append', 'extend', 'insert', 'update', 'add', 'setdefault', '__setitem__'];
const NAMESPACES = ['namespace', 'dict'];

export abstract class Invocation extends Lookup {
  protected call(node: Of<'call'>): Value {
    const { callee, args, at } = node;
    if (callee.kind === 'member') return this.method(node, callee);
    const name = callee.kind === 'name' ? callee.name : '';
    if (name === 'raise_exception') return this.silently(args);
    const values = args.map(({ value }) => this.value(value));
    const target = this.value(callee);
    const macro = this.macros.get(name);
    this.watch?.call(
      node,
      macro === undefined ? target : { ...target, computed: false },
      name === '' ? [] : [name],
    );
    if (macro !== undefined) this.bind(macro, args, values);
    if (macro !== undefined) return target;
    if (name === 'strftime_now') return foreign('date');
    if (name === 'range')
      return {
        ...NUMBER,
        choice: values.reduce<Choice | null>((one, value) => either(one, chosenBy(value, [], at)), null),
      };
    if (NAMESPACES.includes(name)) return this.made(name, args, values);
    if (name === 'caller') for (const value of values) this.store.put('%call', value);
    if (name === 'loop') for (const one of this.targets) for (const value of values) this.write(one, value);
    if (name === 'loop') return NEVER;
    return this.unknownCall(target, name, values, at);
  }

  protected method(node: Of<'call'>, callee: Of<'member'>): Value {
    const { args, at } = node;
    const object = this.value(callee.object);
    const key = this.value(callee.key);
    const values = args.map(({ value }) => this.value(value));
    const names = stringsOf(key);
    const member = this.value(callee);
    this.watch?.call(node, member, names);
    const results = names.map((name) => {
      this.watch?.method(name, object, node);
      if (this.macros.has(name)) this.bind(this.macros.get(name)!, args, values);
      if (ADDING.includes(name)) this.add(callee.object, args, values);
      if (name === 'get' || name === 'pop' || name === '__getitem__' || name === 'setdefault')
        return this.got(object, values, at);
      const { value, by } = applied({ name, input: object, args: values, at });
      this.watch?.said(value, by, at);
      this.watch?.built(stringsOf(value), at);
      // An attribute that the template has set, and calls.
      return join(value, this.store.attribute(name));
    });
    if (key.open && !key.numeric)
      results.push(this.unknownCall({ ...member, computed: true }, 'method', values, at));
    return results.reduce(join, NEVER);
  }

  protected unknownCall(target: Value, name: string, values: readonly Value[], at: number): Value {
    const given = values.reduce(join, target);
    const isAsked = values.some(({ kind }) => isSearchable(kind) || kind === 'conversation');
    const by = isAsked ? either({ at, sought: [`${name}()`], protocol: false }, given.choice) : given.choice;
    const value: Value = {
      ...given,
      known: [],
      open: true,
      numeric: false,
      choice: by,
      built: given.built || given.own.length > 0,
    };
    this.watch?.said(value, by, at);
    return value;
  }

  /** What is raised is not said to a model. */
  protected silently(args: readonly Argument[]): Value {
    const { watch } = this;
    this.watch = watch === null ? null : { ...watch, said: () => undefined };
    for (const { value } of args) this.value(value);
    this.watch = watch;
    return NEVER;
  }

  protected bind(macro: Macro, args: readonly Argument[], values: readonly Value[]): void {
    const names = macro.parameters.map(parameterName);
    const id = this.scopeOf.get(macro.name)?.[0]?.id ?? '';
    const put = (name: string, value: Value): void => this.store.put(`${name}@${id}`, value);
    values.forEach((value, index) => {
      const name = args[index]!.name ?? names[index];
      if (name !== undefined && names.includes(name)) put(name, value);
      // What no parameter takes, and what an unpacked list or mapping may give to any.
      if (name === undefined || !names.includes(name)) {
        for (const rest of ['varargs', 'kwargs'])
          put(rest, { ...value, known: value.known.map((plain) => [plain]) });
        if (args[index]!.name !== null) this.store.put(`.${args[index]!.name}`, value);
        for (const other of names)
          if (value.fields !== null || value.known.some((plain) => typeof plain === 'object'))
            put(other, itemsOf(value));
      }
    });
  }

  protected made(name: string, args: readonly Argument[], values: readonly Value[]): Value {
    const entries = args.map(({ name }, index): [Value, Value] => [
      name === null ? NEVER : constant(name),
      values[index]!,
    ]);
    if (name === 'namespace') {
      for (const [key, value] of entries) for (const one of stringsOf(key)) this.store.put(`.${one}`, value);
      for (const value of values)
        for (const [key, field] of value.fields ?? []) this.store.put(`.${key}`, field);
    }
    return this.mapping(entries);
  }

  /** `list.append(x)`: into whatever the receiver is called. */
  protected add(receiver: Expression, args: readonly Argument[], values: readonly Value[]): void {
    const name =
      receiver.kind === 'name'
        ? receiver.name
        : receiver.kind === 'member' && receiver.key.kind === 'string'
          ? `.${receiver.key.value}`
          : undefined;
    values.forEach((value, index) => {
      const item = { ...value, known: value.known.map((plain) => [plain]) };
      if (name?.startsWith('.')) this.store.put(name, item);
      else if (name !== undefined) this.write(name, item);
      if (args[index]!.name !== null) this.store.put(`.${args[index]!.name}`, value);
      for (const [key, field] of value.fields ?? []) this.store.put(`.${key}`, field);
    });
  }
}

/** All that a container holds, as one. */
const itemsOf = (value: Value): Value =>
  [...(value.fields?.values() ?? [])].reduce(join, {
    ...value,
    fields: null,
    known: value.known.flatMap((plain) => (typeof plain === 'object' ? plain : [plain])),
  });
