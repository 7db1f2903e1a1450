// Damage, and what is left when nothing else fits.
import { appeared } from '../../baseline/compare/explanation.ts';
import { quoted } from '../../document/violations.ts';
import { concluded, type Grounds, named } from '../grounds.ts';
import type { Conclusion } from '../report/diff-report.ts';

/** Values that no training keeps. Said whatever else is. */
export function damage(grounds: Omit<Grounds, 'left'>): Conclusion[] {
  const changes = grounds.tensors.filter((change) => {
    const [before, after] = [grounds.goodOf(change)?.stats, grounds.suspectOf(change)?.stats];
    return before && after && appeared(before, after) !== null;
  });
  if (changes.length === 0) return [];
  const counts = changes.map((change) => {
    const { nan, posInf, negInf } = grounds.suspectOf(change)!.stats!;
    return nan + posInf + negInf;
  });
  return [
    concluded(
      'not-finite',
      `${named(changes)} ${changes.length === 1 ? 'has' : 'have'} NaN or infinities that were not there`,
      changes,
      [{ name: 'values that are not finite', value: counts.reduce((sum, count) => sum + count, 0) }],
      'overflow in training or conversion makes them; NaN codes can also carry a payload',
    ),
  ];
}

/** Something changed and nothing was concluded, or not about everything. */
export function rest(grounds: Grounds, found: readonly Conclusion[]): Conclusion[] {
  const { left, structure, tensors, files, metadata } = grounds;
  const unexplained = left.length === 0 ? [] : [unknown(grounds)];
  if (found.length + unexplained.length > 0) return unexplained;
  if (structure.length === 0 && tensors.length === 0) {
    if (metadata.length + files.length === 0) return [];
    return [beside(grounds)];
  }
  return [unknown(grounds)];
}

function unknown({ left, structure, identical, tensors }: Grounds): Conclusion {
  const isAnother = identical + tensors.length === 0 && structure.length > 0;
  const reason = left.find((change) => change.reason !== null)?.reason;
  const message = isAnother
    ? 'no tensor of one model is in the other: they are two models'
    : left.length === 0
      ? `${structure.length} tensors are placed or typed otherwise`
      : reason
        ? `${named(left)} changed, and how is not known: ${reason}`
        : `${named(left)} changed in a way that fits no pattern we know`;
  const caveat = 'not knowing is no clean bill: look at the figures of the tensors';
  return concluded('unexplained', message, left, [{ name: 'tensors', value: left.length }], caveat);
}

function beside({ files, metadata }: Grounds): Conclusion {
  const weights = files.filter(({ path }) => /\.(safetensors|gguf)$/i.test(path));
  const evidence = [
    { name: 'files', value: files.length },
    { name: 'metadata keys', value: metadata.length },
  ];
  // Bytes of a weight file outside of tensors and metadata: padding, order, or something that was put there.
  if (weights.length > 0) {
    const message = `bytes of ${quoted(weights[0]!.path)} changed that belong to no tensor and no metadata`;
    return concluded(
      'unexplained',
      message,
      [],
      evidence,
      'scan the suspect: it says what stands between tensors',
    );
  }
  return concluded(
    'metadata-only',
    'all tensors are the same; metadata or files beside the weights changed',
    [],
    evidence,
    'code, chat templates and tokenizers decide what a model does: read what changed in them',
  );
}
