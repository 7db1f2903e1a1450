// Which expressions of a template hold what somebody wrote in the conversation: `message.content`, whatever was made of it,
// and whatever was decided by it. The date counts as text too. Names are followed without regard to order or branches: too many are taken for content
// rather than too few.

import { type Expression, nodesOf, type Of, type Statement } from '../jinja/syntax.ts';
import type { Folding } from './folding.ts';

/** Keys of a message under which its text stands, and of a part of the text. */
const TEXT_KEYS = ['content', 'text', 'value', 'parts', 'prompt'];
/** Keys that say what a thing is; honest templates compare these with words all the time. */
const KIND_KEYS = [
  'type',
  'role',
  'name',
  'id',
  'tool_call_id',
  'tool_calls',
  'function',
  'image',
  'image_url',
  'audio',
  'video',
];
const ROUNDS = 8;

export class Content {
  readonly #folding: Folding;
  readonly #texts = new Set<string>(['prompt', 'user_input', 'user_message', 'query']);
  /** The conversation and its messages: as a whole they are compared as text too. */
  readonly #messages = new Set<string>(['messages', 'conversation', 'chat_history']);

  constructor(template: readonly Statement[], folding: Folding) {
    this.#folding = folding;
    const nodes = [...nodesOf(template)];
    const macros = new Map(nodes.filter((node) => node.kind === 'macro').map((macro) => [macro.name, macro]));
    for (let round = 0, size = -1; round < ROUNDS && size !== this.#size; round++) {
      size = this.#size;
      for (const node of nodes) {
        if (node.kind === 'set') this.#set(node);
        else if (node.kind === 'for') this.#for(node);
        else if (node.kind === 'call' && node.callee.kind === 'name')
          this.#pass(node, macros.get(node.callee.name));
      }
    }
  }

  get #size(): number {
    return this.#texts.size + this.#messages.size;
  }

  /** Whether the expression's value is or contains text of the conversation. */
  isText(expression: Expression | null): boolean {
    if (expression === null) return false;
    switch (expression.kind) {
      case 'name':
        return this.#texts.has(expression.name);
      case 'member':
        return this.#memberIsText(expression);
      case 'slice':
        return this.isText(expression.object);
      case 'call':
        return this.#callIsText(expression);
      case 'filter':
        return this.#filterIsText(expression);
      case 'binary':
        return ['~', '+', 'or', 'and', '%', '*'].includes(expression.operator)
          ? this.isText(expression.left) || this.isText(expression.right)
          : false;
      case 'choice':
        return this.isText(expression.value) || this.isText(expression.otherwise);
      case 'list':
        return expression.items.some((item) => this.isText(item));
      default:
        return false;
    }
  }

  /** Whether the expression's value is a message, or several. */
  isMessage(expression: Expression | null): boolean {
    if (expression === null) return false;
    if (expression.kind === 'name') return this.#messages.has(expression.name);
    if (expression.kind === 'slice') return this.isMessage(expression.object);
    if (expression.kind === 'filter') return this.isMessage(expression.input);
    if (expression.kind === 'binary')
      return this.isMessage(expression.left) || this.isMessage(expression.right);
    if (expression.kind === 'choice')
      return this.isMessage(expression.value) || this.isMessage(expression.otherwise);
    if (expression.kind !== 'member') return false;
    // messages[0], messages[i]; a key makes it something of one message.
    return this.isMessage(expression.object) && this.#folding.strings(expression.key).length === 0;
  }

  #memberIsText({ object, key }: Of<'member'>): boolean {
    if (object.kind === 'name' && key.kind === 'string' && this.#texts.has(`${object.name}.${key.value}`))
      return true;
    const keys = this.#folding.strings(key);
    if (keys.some((name) => name === 'content' || name === 'reasoning_content')) return true;
    if (keys.some((name) => KIND_KEYS.includes(name))) return false;
    if (keys.some((name) => TEXT_KEYS.includes(name))) return this.isText(object) || this.isMessage(object);
    return this.isText(object);
  }

  #callIsText({ callee, args }: Of<'call'>): boolean {
    if (args.some(({ value }) => this.isText(value))) return true;
    // A backdoor may as well wait for a day.
    if (callee.kind === 'name' && callee.name === 'strftime_now') return true;
    if (callee.kind !== 'member') return false;
    const method = this.#folding.strings(callee.key);
    if (method.some((name) => ['items', 'values'].includes(name))) return this.isMessage(callee.object);
    // part.get('type') says what a part is; message.get('content') is its text.
    const asked = method.includes('get') ? args.flatMap(({ value }) => this.#folding.strings(value)) : [];
    if (asked.some((key) => KIND_KEYS.includes(key))) return false;
    if (asked.includes('content')) return true;
    return this.isText(callee.object);
  }

  #filterIsText({ name, input, args }: Of<'filter'>): boolean {
    if (['length', 'count'].includes(name)) return false;
    if (
      ['string', 'tojson', 'items', 'join', 'pprint', 'list', 'dictsort'].includes(name) &&
      this.isMessage(input)
    ) {
      return name !== 'list';
    }
    const picked = args.flatMap(({ value }) => this.#folding.strings(value));
    if (['map', 'attr', 'groupby'].includes(name) && picked.includes('content')) return true;
    return this.isText(input);
  }

  #set({ targets, value, body }: Of<'set'>): void {
    for (const target of targets) this.#learn(target, value);
    const [target] = targets;
    if (value !== null || target === undefined) return;
    if (body.some((statement) => statement.kind === 'output' && this.isText(statement.value)))
      this.#add(target, this.#texts);
  }

  #learn(target: Expression, value: Expression | null): void {
    if (this.isText(value)) this.#add(target, this.#texts);
    else if (this.isMessage(value)) this.#add(target, this.#messages);
    const start = value?.kind === 'call' && value.callee.kind === 'name' && value.callee.name === 'namespace';
    if (!start || target.kind !== 'name') return;
    for (const { name, value: given } of value.args) {
      if (this.isText(given)) this.#texts.add(`${target.name}.${name}`);
      else if (this.isMessage(given)) this.#messages.add(`${target.name}.${name}`);
    }
  }

  #add(target: Expression, names: Set<string>): void {
    if (target.kind === 'name') names.add(target.name);
    else if (target.kind === 'member' && target.object.kind === 'name' && target.key.kind === 'string') {
      names.add(`${target.object.name}.${target.key.value}`);
    }
  }

  #for({ targets, iterable }: Of<'for'>): void {
    const names = this.isText(iterable) ? this.#texts : this.isMessage(iterable) ? this.#messages : undefined;
    for (const target of targets) names?.add(target);
  }

  /** Arguments of a macro of the template's own. */
  #pass({ args }: Of<'call'>, macro: Of<'macro'> | undefined): void {
    args.forEach(({ name, value }, index) => {
      const parameter = macro?.parameters[index];
      const target =
        name ?? parameter?.name ?? (parameter?.value.kind === 'name' ? parameter.value.name : undefined);
      if (macro === undefined || target === undefined) return;
      if (this.isText(value)) this.#texts.add(target);
      else if (this.isMessage(value)) this.#messages.add(target);
    });
  }
}
