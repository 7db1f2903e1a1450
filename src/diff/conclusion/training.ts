// A change of everything a little: training, or a merge of models.
import { compared, concluded, type Grounds, largest, least, named } from '../grounds.ts';
import type { Conclusion } from '../report/diff-report.ts';

/** Training turns a matrix by some degrees; two models that have nothing to do with each other are at right angles. */
const TURNED = 0.5;
/** Training moves every matrix that is not frozen. */
const FEW = 8;
const MANY = 32;

export function trainingFamily({ left, tensors, identical }: Grounds): Conclusion[] {
  const changes = compared(left).filter(
    ({ difference: { cosine, changed } }) => changed > 0 && (cosine === null || cosine >= TURNED),
  );
  if (changes.length === 0) return [];
  const isFew = tensors.length <= FEW && identical >= MANY;
  const moved = changes.map(({ difference }) => difference.relativeNorm ?? 0);
  const evidence = [
    { name: 'tensors changed', value: tensors.length, limit: isFew ? `at most ${FEW}` : `more than ${FEW}` },
    { name: 'tensors identical', value: identical, ...(isFew ? { limit: `at least ${MANY}` } : {}) },
    { name: 'least relative change', value: least(moved) },
    { name: 'largest relative change', value: largest(moved) },
    {
      name: 'least cosine',
      value: least(changes.map(({ difference }) => difference.cosine ?? 1)),
      limit: `at least ${TURNED}`,
    },
  ];
  return isFew
    ? [
        concluded(
          'isolated-change',
          `only ${named(changes)} changed, ${identical} are the same bit for bit`,
          changes,
          evidence,
          'training of one module alone does this; so does an edit that is of no kind we know',
        ),
      ]
    : [
        concluded(
          'fine-tune',
          `${named(changes)} moved a little and evenly, as training or merging moves them`,
          changes,
          evidence,
          'what was trained in is not in these numbers: a backdoor that was trained in looks the same',
        ),
      ];
}
