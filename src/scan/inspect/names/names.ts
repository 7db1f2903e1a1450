// Names of tensors and keys of the metadata: what they do to a terminal, a file system or a shell, and whether two of them
// look alike. Names in other scripts than Latin are honest; what counts is whether a name is what it seems.

import { quoted, type Violations } from '../../../document/violations.ts';
import type { Pieces } from '../../../runtime/turn.ts';
import type { Layout } from '../../format/layout.ts';
import { reportCollisions } from './collisions.ts';
import { isDisguised } from './confusables.ts';

export function* inspectNames(layout: Layout, violations: Violations): Pieces<void> {
  const gguf = layout.format === 'gguf';
  for (const { name, start } of layout.tensors) {
    if (!isPlain(name)) checkText(new Name('tensor', name, start, gguf), violations);
    if (name.length > MAX_NAME && !gguf) reportLength('tensor', name, start, violations);
    if (DIGITS.test(name)) checkIndex(name, start, violations);
  }
  yield;
  reportCollisions('tensor', layout.tensors, violations);
  for (const { key, start } of layout.metadata) {
    // The reader of GGUF holds keys to printable ASCII itself.
    if (!isPlain(key) && (!gguf || PRINTABLE.test(key)))
      checkText(new Name('key', key, start, gguf), violations);
    if (key.length > MAX_NAME) reportLength('key', key, start, violations);
  }
  const keys = layout.metadata.map(({ key, start }) => ({ name: key, start }));
  reportCollisions('key', keys, violations);
}

/** Where the name of a tensor stands, the layout does not say: its data has to do. */
class Name {
  readonly what: 'tensor' | 'key';
  readonly text: string;
  readonly offset: number;
  readonly gguf: boolean;

  constructor(what: 'tensor' | 'key', text: string, offset: number, gguf: boolean) {
    this.what = what;
    this.text = text;
    this.offset = offset;
    this.gguf = gguf;
  }

  get place(): { offset: number; tensor?: string } {
    return { offset: this.offset, ...(this.what === 'tensor' ? { tensor: this.text } : {}) };
  }

  get shown(): string {
    return `the ${this.what === 'tensor' ? 'tensor name' : 'key'} ${quoted(this.text)}`;
  }
}

const MAX_NAME = 512;
/** Nearly every name there is: nothing below has anything to say of it. Dots come one at a time. */
const PLAIN = /^(?!__proto__$)(?!\/|[A-Za-z]:\/)[\w\-/:]+(?:\.[\w\-/:]+)*$/;
const isPlain = (name: string): boolean => name.length <= MAX_NAME && PLAIN.test(name);
const PRINTABLE = /^[\x20-\x7e]*$/;
const DIGITS = /\d{6}/;
const MAX_INDEX = 100_000;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;
// Bidi controls, zero width, tags, fillers, variation selectors, line separators: nothing is seen where they stand, or what
// is seen is not in the order that is compared.
const INVISIBLE = /[\p{Cf}\p{Zl}\p{Zp}\p{DI}\u2800]/u;
// Blanks that are none, or that an eye does not see at an edge.
const BLANK = /^\s|\s$|[\u00a0\u1680\u2000-\u200a\u202f\u205f]/;
// Joiners between letters of scripts that need them, and what belongs to an emoji.
const JOINED = /(?<=[^\p{ASCII}])[\u200c\u200d](?=[^\p{ASCII}])|(?<=\p{Extended_Pictographic})\ufe0f/gu;
const TRAVERSAL =
  /(?:^|[\\/])\.\.(?:[\\/]|$)|\\|^[A-Za-z]:[\\/]|^\/(?:bin|dev|etc|home|opt|private|proc|root|sys|tmp|usr|var|Users|Windows)\//;
const SHELL = /[`;|&]|\$[({]/;

function checkText(name: Name, violations: Violations): void {
  const { text, place, gguf } = name;

  if (text === '') {
    if (name.what === 'tensor') violations.report('name/empty', 'a tensor has an empty name', place);
    return;
  }
  // NUL in GGUF is the reader's own rule.
  if (CONTROL.test(gguf ? text.replaceAll('\0', '') : text)) {
    violations.report('name/control', () => `${name.shown} holds control characters`, place);
  }
  if (INVISIBLE.test(text.replace(JOINED, '')) || BLANK.test(text)) {
    violations.report(
      'name/invisible',
      () => `${name.shown} holds characters that cannot be seen or that reorder it`,
      place,
    );
  }
  if (isDisguised(text)) {
    violations.report(
      'name/confusable',
      () => `${name.shown} mixes letters of two scripts that look the same`,
      place,
    );
  }
  if (TRAVERSAL.test(text))
    violations.report('name/path', () => `${name.shown} leads somewhere as a path`, place);
  if (SHELL.test(text))
    violations.report('name/shell', () => `${name.shown} has characters that a shell acts on`, place);
  if (text === '__proto__') {
    const message = `${name.shown} is a member of every object in JavaScript, so readers lose it`;
    // Of GGUF keys gguf/key-reserved says so.
    if (name.what === 'tensor' || !gguf) violations.report('name/reserved', message, place);
  }
}

function reportLength(what: 'tensor' | 'key', text: string, offset: number, violations: Violations): void {
  const size = Buffer.byteLength(text);
  violations.report(
    'name/length',
    `a ${what === 'tensor' ? 'tensor name' : 'key'} has ${size} bytes: ${quoted(text)}`,
    {
      offset,
      ...(what === 'tensor' ? { tensor: text } : {}),
      expected: `at most ${MAX_NAME}`,
      actual: String(size),
    },
  );
}

function checkIndex(name: string, offset: number, violations: Violations): void {
  const index = name.split('.').find((segment) => /^\d{6,30}$/.test(segment) && Number(segment) > MAX_INDEX);
  if (index === undefined) return;
  violations.report('name/index', `tensor ${quoted(name)} has the index ${index.slice(0, 30)}`, {
    offset,
    tensor: name,
    expected: `at most ${MAX_INDEX}`,
  });
}
