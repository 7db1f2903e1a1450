// Tensors that came, went, changed places or names.
import { quoted } from '../../document/violations.ts';
import { concluded, type Found, type Grounds } from '../grounds.ts';
import type { Conclusion, StructuralChange, TensorPlace } from '../report/diff-report.ts';

/** Said whatever else is. */
export function structure(found: Found): Conclusion[] {
  const folded = foldedNorms(found);
  if (folded !== null) return [folded, ...renamed(found)];
  return [...exchanged(found), ...renamed(found)];
}

/** Tensors that hold the bytes of another one. */
export function structureFamily({ structure, left }: Grounds): Conclusion[] {
  const swapped = structure.filter(({ kind }) => kind === 'swapped');
  const names = new Set(swapped.map(({ suspect }) => suspect!.name));
  const changes = left.filter(({ suspect }) => names.has(suspect.name));
  if (changes.length === 0) return [];
  const [first] = swapped;
  const example = `${quoted(first!.suspect!.name)} holds the bytes of ${quoted(first!.good!.name)}`;
  const more = changes.length === 1 ? '' : `, and ${changes.length - 1} more like it`;
  return [
    concluded(
      'tensors-swapped',
      `${example}${more}`,
      changes,
      [{ name: 'tensors with the bytes of another', value: changes.length }],
      'a pruner that repeats layers does the same, and would say so',
    ),
  ];
}

const placesOf = (
  { structure }: Found,
  kind: StructuralChange['kind'],
  side: 'good' | 'suspect',
): TensorPlace[] => structure.filter((change) => change.kind === kind).map((change) => change[side]!);

function exchanged(found: Found): Conclusion[] {
  const [added, removed] = [placesOf(found, 'added', 'suspect'), placesOf(found, 'removed', 'good')];
  // Nothing of one is in the other: not a tensor was slipped in, the model is another.
  if (found.identical + found.tensors.length === 0 && added.length > 0 && removed.length > 0) return [];
  return [
    ...came('tensor-added', 'was added', added, 'a task head, fused layers and converters add tensors too'),
    ...came('tensor-removed', 'is gone', removed, 'tied heads, fused layers and converters drop tensors too'),
  ];
}

function came(
  kind: 'tensor-added' | 'tensor-removed',
  what: string,
  places: readonly TensorPlace[],
  caveat: string,
): Conclusion[] {
  const [first] = places;
  if (first === undefined) return [];
  const more = places.length === 1 ? '' : `, and so with ${places.length - 1} more`;
  const message = `${quoted(first.name)}, ${first.dtype} [${first.shape.join(', ')}], ${what}${more}`;
  const evidence = [{ name: 'tensors', value: places.length }];
  return [{ ...concluded(kind, message, [], evidence, caveat), tensors: places.map(({ name }) => name) }];
}

function renamed(found: Found): Conclusion[] {
  const names = placesOf(found, 'renamed', 'suspect');
  const moved = placesOf(found, 'moved', 'suspect');
  if (names.length + moved.length === 0) return [];
  const parts = [
    ...(names.length === 0 ? [] : [`${names.length} tensors have another name`]),
    ...(moved.length === 0 ? [] : [`${moved.length} tensors are in another file`]),
  ];
  const evidence = [
    { name: 'renamed', value: names.length },
    { name: 'moved', value: moved.length },
  ];
  const caveat = 'what a loader takes a tensor for follows from its name';
  const tensors = [...names, ...moved].map(({ name }) => name);
  return [{ ...concluded('renamed', parts.join(', '), [], evidence, caveat), tensors }];
}

const STATISTIC = /^(.*)\.(running_mean|running_var|num_batches_tracked|weight|bias)$/;

/**
 * Batch normalisation folded into the convolution before it, as every exporter does: norms go, with the running statistics that
 * no other layer has, and biases come.
 */
function foldedNorms(found: Found): Conclusion | null {
  const [added, removed] = [placesOf(found, 'added', 'suspect'), placesOf(found, 'removed', 'good')];
  const norms = new Set(
    removed.filter(({ name }) => name.endsWith('.running_var')).map(({ name }) => name.slice(0, -12)),
  );
  const isNorm = ({ name }: TensorPlace): boolean => norms.has(STATISTIC.exec(name)?.[1] ?? '');
  const isBias = ({ name, shape }: TensorPlace): boolean => name.endsWith('.bias') && shape.length === 1;
  if (norms.size === 0 || !removed.every(isNorm) || !added.every(isBias) || added.length > norms.size)
    return null;
  const message = `${norms.size} batch normalisations were folded into the layers before them`;
  const evidence = [
    { name: 'normalisations gone', value: norms.size },
    { name: 'biases added', value: added.length, limit: `at most ${norms.size}` },
  ];
  const caveat = 'known by the names; whether the new values are those that follow is not computed';
  const tensors = [...added, ...removed].map(({ name }) => name);
  return { ...concluded('converted', message, [], evidence, caveat), tensors };
}
