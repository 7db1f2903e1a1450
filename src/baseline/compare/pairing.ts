// Which tensor of the model stands for which of the baseline. Linear: every step is a look-up.

import { ggufName } from '../../scan/profile/gguf-name.ts';
import type { Profile, TensorProfile } from '../../scan/profile/profile.ts';
import type { Mode } from './mode.ts';

export interface Pair {
  readonly good: TensorProfile;
  readonly suspect: TensorProfile;
  /** 'moved': in another file; 'renamed': the same bytes under another name; 'translated': under its GGUF name. */
  readonly how: 'same' | 'moved' | 'renamed' | 'translated';
}

export interface Pairing {
  readonly pairs: readonly Pair[];
  readonly missing: readonly TensorProfile[];
  readonly added: readonly TensorProfile[];
}

export function pairTensors(profile: Profile, baseline: Profile, mode: Mode): Pairing {
  const left: Left = { good: baseline.tensors, suspect: profile.tensors, pairs: [] };
  match(left, 'same', ({ file, name }) => `${file.length} ${file} ${name}`);
  match(left, 'moved', ({ name }) => name);
  // A name says less than bytes do: translating names first would pair a planted tensor with the one it displaced.
  match(left, 'renamed', bytesOf);
  if (mode !== 'exact') match(left, 'translated', ({ name }) => ggufName(name));
  return { pairs: left.pairs, missing: left.good, added: left.suspect };
}

interface Left {
  good: readonly TensorProfile[];
  suspect: readonly TensorProfile[];
  readonly pairs: Pair[];
}

/** Pairs what has the same key, in order; null: no key. What is left over stays. */
function match(left: Left, how: Pair['how'], keyOf: (tensor: TensorProfile) => string | null): void {
  if (left.good.length === 0 || left.suspect.length === 0) return;
  const waiting = new Map<string, TensorProfile[]>();
  for (let i = left.good.length - 1; i >= 0; i--) {
    const key = keyOf(left.good[i]!);
    if (key === null) continue;
    const queue = waiting.get(key);
    if (queue === undefined) waiting.set(key, [left.good[i]!]);
    else queue.push(left.good[i]!);
  }
  const paired = new Set<TensorProfile>();
  left.suspect = left.suspect.filter((suspect) => {
    const key = keyOf(suspect);
    const good = key === null ? undefined : waiting.get(key)?.pop();
    if (good === undefined) return true;
    left.pairs.push({ good, suspect, how });
    paired.add(good);
    return false;
  });
  left.good = left.good.filter((good) => !paired.has(good));
}

/** All that a tensor is but its name. Empty tensors have nothing that could be recognised. */
function bytesOf({ sha256, dtype, shape, start, end }: TensorProfile): string | null {
  return sha256 === null || start === end ? null : `${sha256} ${dtype} ${shape.join()}`;
}
