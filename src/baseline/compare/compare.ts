// Profile × baseline → findings: is this the model that was approved, and what exactly departs. Pure, linear.
import type { Finding } from '../../rules/finding.ts';
import { type Check, unhurried } from '../../runtime/turn.ts';
import type { Profile, TensorProfile } from '../../scan/profile/profile.ts';
import { type Departure, toFindings } from './departure.ts';
import { compareFiles } from './file.ts';
import { compareMetadata } from './metadata-change.ts';
import type { CompareRule, Mode } from './mode.ts';
import { type Pair, type Pairing, pairTensors } from './pairing.ts';
import { type Context, compareTensors, isSame } from './tensor.ts';

/**
 * Compares a model with the baseline it is said to be and returns what departs, the worst first; an empty list if nothing
 * does. Pure: no file is read.
 *
 * @param mode `exact`: the same artefact. `converted`: the same weights in another dtype or container. `derived`: a fine-tune.
 * @param check called in every loop; what it throws ends the comparison.
 * @example
 * const departures = compare(await scan('incoming/llama'), parseProfile(text), 'exact');
 */
export function compare(
  profile: Profile,
  baseline: Profile,
  mode: Mode,
  check: Check = unhurried,
): Finding[] {
  const pairing = pairTensors(profile, baseline, mode);
  if (isAnother(pairing, baseline)) return toFindings([anotherModel(pairing, baseline, profile)], mode);
  const changed = pairing.pairs.filter(({ good, suspect }) => !isSame(good, suspect));
  const context: Context = {
    mode,
    fewChanged: changed.length <= FEW,
    ownerOf: ownersOf(baseline),
    isTranslated: translationOf(profile, baseline),
  };
  const content: Departure[] = [
    ...pairing.missing.map(missing),
    ...pairing.added.map(added),
    ...compareMetadata(profile, baseline, mode),
  ];
  for (const pair of pairing.pairs) {
    check();
    compareTensors(pair, context, content);
  }
  const explained = {
    files: new Set(content.filter(({ rule }) => rule !== 'compare/tensor-moved').map(({ file }) => file)),
    indexes: content.some(({ rule }) => INDEXED.has(rule)),
  };
  return toFindings(
    [
      ...content,
      ...(mode === 'derived' ? isolatedEdit(changed, pairing.pairs.length) : []),
      ...compareFiles(profile, baseline, mode, explained),
    ],
    mode,
  );
}

/** The baseline without files that could not be read: an error says so, and they are not missing. */
export function withoutFiles({ files, tensors }: Profile, unread: ReadonlySet<string>): Profile {
  return {
    files: files.filter(({ path }) => !unread.has(path)),
    tensors: tensors.filter(({ file }) => !unread.has(file)),
  };
}

/** What an honest writer cannot do without another shard index. */
const INDEXED: ReadonlySet<string> = new Set([
  'compare/tensor-missing',
  'compare/tensor-added',
  'compare/tensor-renamed',
  'compare/tensor-moved',
  'compare/tensor-reshaped',
  'compare/tensor-retyped',
  'compare/rows-appended',
] satisfies CompareRule[]);

/** With less than a tenth found again, every tensor would be listed twice and nothing would be said. */
const isAnother = ({ pairs }: Pairing, { tensors }: Profile): boolean =>
  tensors.length > 0 && pairs.length * 10 < tensors.length;

function anotherModel({ pairs }: Pairing, baseline: Profile, profile: Profile): Departure {
  const message =
    `${pairs.length} of the baseline's ${baseline.tensors.length} tensors are here, ` +
    `and ${profile.tensors.length - pairs.length} others`;
  return { rule: 'compare/another-model', file: profile.files[0]?.path ?? '', message };
}

function missing({ file, name, dtype, shape, sha256 }: TensorProfile): Departure {
  const message = `${dtype} [${shape.join(', ')}] of the baseline is not here, and its bytes are under no other name`;
  return {
    rule: 'compare/tensor-missing',
    file,
    tensor: name,
    message,
    ...(sha256 ? { expected: sha256 } : {}),
  };
}

function added({ file, name, dtype, shape, sha256 }: TensorProfile): Departure {
  const message = `${dtype} [${shape.join(', ')}] is not in the baseline`;
  return { rule: 'compare/tensor-added', file, tensor: name, message, ...(sha256 ? { actual: sha256 } : {}) };
}

/** Only bytes that one tensor of the baseline has and no other say whose they are: zero biases are all alike. */
function ownersOf({ tensors }: Profile): Context['ownerOf'] {
  const owners = new Map<string, TensorProfile | null>();
  for (const tensor of tensors) {
    if (tensor.sha256 === null || tensor.start === tensor.end) continue;
    owners.set(tensor.sha256, owners.has(tensor.sha256) ? null : tensor);
  }
  return (sha256) => owners.get(sha256) ?? undefined;
}

function translationOf(profile: Profile, baseline: Profile): Context['isTranslated'] {
  const [suspect, good] = [profile, baseline].map(
    ({ files }) => new Map(files.map(({ path, format }) => [path, format])),
  );
  return (pair) => suspect!.get(pair.suspect.file) !== good!.get(pair.good.file);
}

const FEW = 8;
const MANY = 32;

// Training moves every matrix that is not frozen; model editors write into one to five.
function isolatedEdit(changed: readonly Pair[], count: number): Departure[] {
  if (changed.length === 0 || changed.length > FEW || count - changed.length < MANY) return [];
  const { file, name } = changed[0]!.suspect;
  const message = `only ${changed.length} of ${count} tensors changed; the others are the same bit for bit`;
  return [{ rule: 'compare/isolated-edit', file, tensor: name, message }];
}
