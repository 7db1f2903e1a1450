// What variables can hold. Without regard to order or scope: whatever is put under a name anywhere, may be found under it
// everywhere, so no loop, macro or block hides where a value came from.

import { isGiven, kindOfName } from './foreign.ts';
import { covers, foreign as foreignValue, join, NEVER, type Value } from './value.ts';

/** Times that a variable may grow before what it is known to hold is given up: `a = a ~ b` has no end. */
const MOST_GROWTHS = 8;

/** What no longer grows: no further values that are known, but that there are any. */
const given = (old: Value, value: Value): Value => {
  const isNew = value.known.some((plain) => !old.known.includes(plain));
  return {
    ...value,
    known: [],
    fields: old.fields,
    open: value.open || isNew,
    built: value.built || (isNew && !value.numeric),
  };
};

export class Store {
  readonly #values = new Map<string, Value>();
  readonly #growths = new Map<string, number>();
  #changed = false;

  /** Whether anything was new since the last time that this was asked. */
  takeChange(): boolean {
    const changed = this.#changed;
    this.#changed = false;
    return changed;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  variable(name: string): Value {
    const set = this.#values.get(name);
    if (set === undefined) return foreignValue(kindOfName(name));
    return isGiven(name) ? join(foreignValue(kindOfName(name)), set) : set;
  }

  /** What was put under the attribute, of whatever object: `ns.x`, and `message.content` where that is set. */
  attribute(key: string): Value {
    return this.#values.get(`.${key}`) ?? NEVER;
  }

  put(name: string, value: Value): void {
    const old = this.#values.get(name);
    const growths = this.#growths.get(name) ?? 0;
    if (old === undefined) this.#values.set(name, value);
    else {
      const more = growths < MOST_GROWTHS ? value : given(old, value);
      if (covers(old, more)) return;
      this.#values.set(name, join(old, more));
    }
    this.#growths.set(name, growths + 1);
    this.#changed = true;
  }
}
