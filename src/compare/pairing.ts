// Which tensor of the model stands for which of the baseline. Linear: every step is a look-up.
import type { Profile, TensorProfile } from '../profile/profile.ts';
import type { Mode } from './mode.ts';
import { ggufName } from './name.ts';

export interface Pair {
  readonly base: TensorProfile;
  readonly now: TensorProfile;
  /** 'moved': in another file; 'renamed': the same bytes under another name; 'translated': under its GGUF name. */
  readonly how: 'same' | 'moved' | 'renamed' | 'translated';
}

export interface Pairing {
  readonly pairs: readonly Pair[];
  readonly missing: readonly TensorProfile[];
  readonly added: readonly TensorProfile[];
}

export function pairTensors(profile: Profile, baseline: Profile, mode: Mode): Pairing {
  const left: Left = { base: baseline.tensors, now: profile.tensors, pairs: [] };
  match(left, 'same', ({ file, name }) => `${file.length} ${file} ${name}`);
  match(left, 'moved', ({ name }) => name);
  // A name says less than bytes do: translating names first would pair a planted tensor with the one it displaced.
  match(left, 'renamed', bytesOf);
  if (mode !== 'exact') match(left, 'translated', ({ name }) => ggufName(name));
  return { pairs: left.pairs, missing: left.base, added: left.now };
}

interface Left {
  base: readonly TensorProfile[];
  now: readonly TensorProfile[];
  readonly pairs: Pair[];
}

/** Pairs what has the same key, in order; null: no key. What is left over stays. */
function match(left: Left, how: Pair['how'], keyOf: (tensor: TensorProfile) => string | null): void {
  if (left.base.length === 0 || left.now.length === 0) return;
  const waiting = new Map<string, TensorProfile[]>();
  for (let i = left.base.length - 1; i >= 0; i--) {
    const key = keyOf(left.base[i]!);
    if (key === null) continue;
    const queue = waiting.get(key);
    if (queue === undefined) waiting.set(key, [left.base[i]!]);
    else queue.push(left.base[i]!);
  }
  const paired = new Set<TensorProfile>();
  left.now = left.now.filter((now) => {
    const key = keyOf(now);
    const base = key === null ? undefined : waiting.get(key)?.pop();
    if (base === undefined) return true;
    left.pairs.push({ base, now, how });
    paired.add(base);
    return false;
  });
  left.base = left.base.filter((base) => !paired.has(base));
}

/** All that a tensor is but its name. Empty tensors have nothing that could be recognised. */
function bytesOf({ sha256, dtype, shape, start, end }: TensorProfile): string | null {
  return sha256 === null || start === end ? null : `${sha256} ${dtype} ${shape.join()}`;
}
