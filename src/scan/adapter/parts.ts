// Which tensors an update of each kind needs.
import type { AdapterModule, Family, Part } from './module.ts';

type Parts = AdapterModule['parts'];

/** Each entry is one of several ways to have what is needed. */
const NEEDED: Readonly<Record<Family, readonly (readonly (readonly Part[])[])[]>> = {
  lora: [[['a']], [['b']]],
  adalora: [[['a']], [['b']], [['e']]],
  loha: [[['w1a']], [['w1b']], [['w2a']], [['w2b']]],
  lokr: [
    [['w1'], ['w1a', 'w1b']],
    [['w2'], ['w2a', 'w2b']],
  ],
  glora: [],
  ia3: [[['vector']]],
  oft: [[['rotation']]],
  boft: [[['rotation']]],
  vera: [[['b']], [['d']]],
  full: [],
};

const WORDS: Partial<Record<Part, string>> = { a: 'A', b: 'B', e: 'E' };
const word = (part: Part): string => WORDS[part] ?? part;

/** 'a factor A and no B'; null: nothing is missing. */
export function missingParts({ family, parts }: AdapterModule): string | null {
  const missing = NEEDED[family].filter((ways) => !ways.some((way) => way.every((part) => parts[part])));
  if (missing.length === 0) return oneCore(parts);
  const there = Object.keys(parts) as Part[];
  const what = missing.map((ways) => ways.map((way) => way.map(word).join(' and ')).join(' or '));
  return `${there.length === 1 ? 'a factor' : 'factors'} ${there.map(word).join(', ')} and no ${what.join(', no ')}`;
}

/** A Tucker form has a core in both products, or in none. */
const oneCore = ({ t1, t2, w1a }: Parts): string | null =>
  w1a !== undefined && (t1 === undefined) !== (t2 === undefined) && t1 !== undefined
    ? 'a core t1 and no t2'
    : null;
