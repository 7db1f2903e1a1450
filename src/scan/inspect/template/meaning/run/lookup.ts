// Attributes, items and slices, and the dictionaries that they are taken from.

import type { Of } from '../../jinja/syntax.ts';
import { isMarker } from '../../marker.ts';
import { type Choice, either, isOpenChoice } from '../value/choice.ts';
import { isSearchable, isWords, kindOfItem, kindOfMember } from '../value/foreign.ts';
import { combinedSome, type Plain, sliced } from '../value/plain.ts';
import { chosenBy, LENGTH } from '../value/question.ts';
import { selectedBy } from '../value/transfer.ts';
import {
  addField,
  foreign,
  isText,
  join,
  NEVER,
  NUMBER,
  REST,
  stringsOf,
  textsOf,
  type Value,
  valueWith,
  withChoice,
} from '../value/value.ts';
import { Evaluator } from './evaluator.ts';

export abstract class Lookup extends Evaluator {
  protected dict({ keys, values }: Of<'dict'>): Value {
    const entries = keys.map((key, index): [Value, Value] => [this.value(key), this.value(values[index]!)]);
    return this.mapping(entries);
  }

  protected mapping(entries: readonly [Value, Value][]): Value {
    const fields = new Map<string, Value>();
    for (const [key, value] of entries) for (const name of stringsOf(key)) addField(fields, name, value);
    // A dictionary in itself has no end.
    for (const [name, value] of fields) fields.set(name, { ...value, fields: null });
    const all = entries.reduce((one, [key, value]) => join(one, withChoice(value, key.choice)), NEVER);
    const role = fields.get('role');
    const isCopy = entries.some(([key, value]) => key === NEVER && value.kind === 'conversation');
    const isMessage = isCopy || (role !== undefined && !isSearchable(role.kind));
    const names = entries.slice(0, KEYS_MAX).flatMap(([key]) => stringsOf(key).slice(0, 1));
    return {
      ...all,
      kind: isMessage ? 'conversation' : all.kind,
      known: entries.length <= KEYS_MAX && entries.every(([key]) => !key.open) ? [names] : [],
      open: true,
      numeric: false,
      fields,
    };
  }

  protected member(node: Of<'member'>): Value {
    const object = this.value(node.object);
    const key = this.value(node.key);
    this.watch?.member(node, object, key);
    const names = stringsOf(key);
    if (node.object.kind === 'name' && node.object.name === 'loop')
      return /^(?:previtem|nextitem)$/.test(names[0] ?? '')
        ? this.item
        : /^first$/.test(names[0] ?? '')
          ? NUMBER
          : object;
    const value = [...this.items(object, key), ...names.map((name) => this.named(object, name))].reduce(
      join,
      NEVER,
    );
    const isComputed = key.open && !key.numeric;
    const { value: selected, by } = selectedBy(value, key, keysOf(object), node.at);
    this.watch?.said(selected, by, node.at);
    const isInside = object.computed && key.numeric;
    return {
      ...selected,
      computed: isInside || isComputed,
      choice: either(selected.choice, object.choice),
      cut: either(selected.cut, object.cut),
    };
  }

  protected named(object: Value, name: string): Value {
    const stored = this.store.attribute(name);
    const field = object.fields?.get(name) ?? object.fields?.get(REST) ?? NEVER;
    const kind = kindOfMember(object.kind, name);
    if (object.kind === 'own') {
      const given = join(stored, field);
      return given === NEVER
        ? valueWith({ open: true, own: object.fields === null ? object.own : [] })
        : given;
    }
    return join(join(foreign(kind), stored), field);
  }

  /** By a number, or by a key that is not known. */
  protected items(object: Value, key: Value): Value[] {
    const numbers = key.known.filter((plain) => typeof plain === 'number');
    const taken = combinedSome(object.known, numbers, (plain, index) =>
      typeof plain === 'number' || typeof index !== 'number' ? undefined : plain.at(Math.trunc(index)),
    );
    if (!key.open && numbers.length === 0 && key.known.length > 0) return [];
    const isEnd = !key.open && numbers.every((index) => index === 0 || index === -1);
    const kind = kindOfItem(object.kind, key.numeric, isEnd);
    // Not followed: of a list that is known all items, and of everything else all that it holds.
    const items =
      key.open || taken.length === 0
        ? object.known.flatMap((plain) => (typeof plain === 'object' ? plain : []))
        : taken;
    const whole = {
      ...object,
      kind,
      known: items,
      open: object.kind !== 'own' || object.open || key.open || taken.length === 0,
      numeric: false,
    };
    return [whole, ...(object.fields === null || key.numeric ? [] : object.fields.values())];
  }

  protected slice({ object: of, parts, at }: Of<'slice'>): Value {
    const object = this.value(of);
    const places = parts.map((part) => (part === null ? null : this.value(part)));
    const numbers = places.map((place) => (place === null ? null : place.known[0]));
    const isKnown = numbers.every((number) => number === null || typeof number === 'number');
    const known = isKnown
      ? object.known.flatMap((plain): Plain[] => {
          if (typeof plain === 'number') return [];
          const items = sliced<Plain>([...plain], numbers as (number | null)[]);
          return [typeof plain === 'string' ? items.join('') : items];
        })
      : [];
    const by = places.reduce<Choice | null>(
      (choice, place) => (place === null ? choice : either(choice, chosenBy(place, [], at))),
      null,
    );
    const own = known.flatMap(textsOf).filter(isText);
    // `content[:content|length - 5]`: the end of a text, whatever it is.
    const isOwnLength = isWords(object.kind) && by?.sought.every((text) => text === LENGTH || isMarker(text));
    const value = withChoice(
      {
        ...object,
        kind: object.kind === 'text' || object.kind === 'part' ? 'slice' : object.kind,
        known,
        open: object.open || !isKnown,
        built: object.built || (!isKnown && object.known.length > 0),
        own: own.length > 0 && isKnown && !object.open ? own : object.own,
        cut: isOpenChoice(by) && !isOwnLength ? either(object.cut, by) : object.cut,
      },
      by,
    );
    if (!isOwnLength) this.watch?.said(value, by, at);
    this.watch?.built(stringsOf(value), at);
    return value;
  }

  protected got(object: Value, [key = NEVER, otherwise = NEVER]: readonly Value[], at: number): Value {
    const named = stringsOf(key).map((name) => this.named(object, name));
    const value = [...named, ...this.items(object, key), otherwise].reduce(join, NEVER);
    const { value: selected, by } = selectedBy(value, key, keysOf(object), at);
    this.watch?.said(selected, by, at);
    return {
      ...selected,
      computed: key.open && !key.numeric,
      choice: either(selected.choice, object.choice),
    };
  }
}

const KEYS_MAX = 256;

/** What can be looked up in it, as far as it is told. */
const keysOf = (object: Value): string[] =>
  object.known.flatMap((plain) => (typeof plain === 'object' ? textsOf(plain.slice(0, 16)) : []));
