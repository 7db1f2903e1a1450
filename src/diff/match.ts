// Which tensor of the suspect stands for which of the good model, and what is not where it was. Pure.
import { type Pair, type Pairing, pairTensors } from '../baseline/compare/pairing.ts';
import type { Profile, TensorProfile } from '../scan/profile/profile.ts';
import type { StructuralChange, TensorPlace } from './report/diff-report.ts';

interface Match {
  /** Same name, other bytes; in the suspect's order. */
  readonly changed: readonly Pair[];
  readonly structure: readonly StructuralChange[];
  /** The same byte for byte under the same name. */
  readonly identical: number;
  readonly paired: number;
}

export function match(good: Profile, suspect: Profile): Match {
  const { pairs, missing, added } = paired(good, suspect);
  const order = new Map(suspect.tensors.map((tensor, index) => [tensor, index]));
  const sorted = [...pairs].sort((a, b) => order.get(a.suspect)! - order.get(b.suspect)!);
  const owner = ownersOf(good.tensors);
  return {
    changed: sorted.filter(({ good, suspect }) => !isSame(good, suspect)),
    structure: [
      ...added.map((suspect): StructuralChange => ({ kind: 'added', good: null, suspect: placeOf(suspect) })),
      ...missing.map((good): StructuralChange => ({ kind: 'removed', good: placeOf(good), suspect: null })),
      ...sorted.flatMap((pair) => changesOf(pair, owner)),
    ],
    identical: pairs.filter(({ good, suspect }) => isSame(good, suspect) && good.name === suspect.name)
      .length,
    paired: pairs.length,
  };
}

/** Of two models of one weight file each, what that is called says nothing. */
function paired(good: Profile, suspect: Profile): Pairing {
  if (!isOneFile(good) || !isOneFile(suspect)) return pairTensors(suspect, good, 'converted');
  const owners = new Map<TensorProfile, TensorProfile>();
  const filed = ({ files, tensors }: Profile): Profile => ({
    files,
    tensors: tensors.map((tensor) => {
      const same = { ...tensor, file: '' };
      owners.set(same, tensor);
      return same;
    }),
  });
  const { pairs, missing, added } = pairTensors(filed(suspect), filed(good), 'converted');
  const own = (tensor: TensorProfile): TensorProfile => owners.get(tensor)!;
  return {
    pairs: pairs.map(({ good, suspect, how }) => ({ good: own(good), suspect: own(suspect), how })),
    missing: missing.map(own),
    added: added.map(own),
  };
}

export const placeOf = ({ name, file, dtype, shape, sha256 }: TensorProfile): TensorPlace => ({
  name,
  file,
  dtype,
  shape,
  sha256,
});

const isSame = (good: TensorProfile, suspect: TensorProfile): boolean =>
  good.sha256 !== null && good.sha256 === suspect.sha256 && good.dtype === suspect.dtype;

const isOneFile = ({ files }: Profile): boolean => files.filter(({ format }) => format !== null).length === 1;

function changesOf({ good, suspect, how }: Pair, owner: Owner): StructuralChange[] {
  const places = { good: placeOf(good), suspect: placeOf(suspect) };
  const found: StructuralChange[] = [];
  if (good.name !== suspect.name) found.push({ kind: 'renamed', ...places });
  else if (how === 'moved') found.push({ kind: 'moved', ...places });
  if (good.dtype !== suspect.dtype) found.push({ kind: 'retyped', ...places });
  if (good.shape.join() !== suspect.shape.join()) found.push({ kind: 'reshaped', ...places });
  const other = isSame(good, suspect) ? undefined : owner(suspect);
  if (other !== undefined && other.name !== good.name)
    found.push({ kind: 'swapped', good: placeOf(other), suspect: places.suspect });
  return found;
}

type Owner = (tensor: TensorProfile) => TensorProfile | undefined;

/** The good tensor with these bytes, if there is exactly one: norms that are all ones are all alike. */
function ownersOf(tensors: readonly TensorProfile[]): Owner {
  const owners = new Map<string, TensorProfile | null>();
  for (const tensor of tensors) {
    if (tensor.sha256 === null || tensor.start === tensor.end) continue;
    const key = `${tensor.sha256} ${tensor.dtype}`;
    owners.set(key, owners.has(key) ? null : tensor);
  }
  return ({ sha256, dtype }) => owners.get(`${sha256} ${dtype}`) ?? undefined;
}
