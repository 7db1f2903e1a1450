// The metadata of weight files, key by key.
import { quoted } from '../../document/violations.ts';
import type { FileProfile, MetadataProfile, Profile } from '../../scan/profile/profile.ts';
import type { Departure } from './departure.ts';
import type { Mode } from './mode.ts';

export function compareMetadata(profile: Profile, baseline: Profile, mode: Mode): Departure[] {
  return filePairs(profile, baseline).flatMap(([suspect, good]) => {
    const [after, before] = [entries(suspect), entries(good)];
    const keys = [...new Set([...before.keys(), ...after.keys()])];
    return keys.flatMap((key) => keyDeparture(suspect.path, key, before.get(key), after.get(key), mode));
  });
}

/** By path; a model that is one GGUF file keeps its metadata when the file gets another name. */
function filePairs(profile: Profile, baseline: Profile): (readonly [FileProfile, FileProfile])[] {
  const [suspect, good] = [profile.files, baseline.files].map((files) =>
    files.filter(({ format }) => format === 'gguf'),
  );
  if (suspect!.length === 1 && good!.length === 1) return [[suspect![0]!, good![0]!]];
  const known = new Map(baseline.files.map((file) => [file.path, file]));
  return profile.files.flatMap((file) => {
    const before = known.get(file.path);
    return before === undefined || before.format !== file.format ? [] : [[file, before] as const];
  });
}

const entries = ({ metadata }: FileProfile): Map<string, MetadataProfile> =>
  new Map(metadata.map((entry) => [entry.key, entry]));

function keyDeparture(
  file: string,
  key: string,
  before: MetadataProfile | undefined,
  after: MetadataProfile | undefined,
  mode: Mode,
): Departure[] {
  if (before !== undefined && after !== undefined && shown(before) === shown(after)) return [];
  if (mode === 'converted' && CONVERTERS.test(key)) return [];
  const isTemplate = /^tokenizer\.chat_template(\.|$)/.test(key);
  const what = before === undefined ? 'is new' : after === undefined ? 'is gone' : 'has another value';
  return [
    {
      rule: isTemplate ? 'compare/template-changed' : 'compare/metadata-changed',
      file,
      message: `${quoted(key)} ${what}`,
      ...(before === undefined ? {} : { expected: shown(before) }),
      ...(after === undefined ? {} : { actual: shown(after) }),
      ...(mode !== 'exact' && DESCRIPTIONS.test(key) ? { severity: 'low' as const } : {}),
    },
  ];
}

const shown = ({ type, value, digest, count }: MetadataProfile): string =>
  `${type} ${digest === undefined ? JSON.stringify(value) : digest}${count === undefined ? '' : ` (${count} items)`}`;

/** What converters and quantisers write about their own work. */
const CONVERTERS = /^(general\.(file_type|quantization_version|alignment)|quantize\.|split\.)/;
/** Names, authors, links; and 'format' of safetensors. What decides how weights are used is not among them. */
const DESCRIPTIONS = /^(general\.(?!architecture$)|format$|license$|modelspec\.)/;
