// Templates of one model that differ: which loader takes which. Of one folder, of a folder and the GGUF files in it, and of a folder and
// those below it.
import { quoted } from '../../../document/violations.ts';
import { type Finding, toFinding } from '../../../rules/finding.ts';
import type { MeasuredFile } from '../../measure/measured.ts';
import type { FileTemplates } from '../../profile/template/collect.ts';
import {
  choicesOf,
  type LoaderChoice,
  type Place,
  placesOf,
  type Source,
} from '../../profile/template/loader/loader.ts';

/** More folders than any model has. */
const PLACES_MAX = 1024;

export function disagreements(
  files: readonly MeasuredFile[],
  templates: readonly FileTemplates[],
): Finding[] {
  const places = placesOf(files, templates).slice(0, PLACES_MAX);
  const folders = new Map(places.map((place) => [place.folder, place]));
  return places.flatMap((place) => [...within(place), ...below(place, folders)]);
}

function within(place: Place): Finding[] {
  const { documents, extra, weights } = place;
  const named = [extra.get('file'), extra.get('default')].filter((one) => one !== undefined);
  const candidates = [...documents.values(), ...named];
  const [first, ...others] = [...candidates.filter(hasDefault), ...weights.filter(hasDefault)];
  if (first === undefined || candidates.filter(hasDefault).length === 0) return [];
  return others
    .filter((other) => digestOf(other) !== digestOf(first))
    .map(({ path }) => {
      const message = `another default chat template than in ${quoted(first.path)}${usedBy(choicesOf(place))}`;
      return toFinding({ rule: 'template/disagreement', file: path, message });
    });
}

/** A model within a model: which of the two is meant depends on the folder that is loaded. */
function below(place: Place, folders: ReadonlyMap<string, Place>): Finding[] {
  const outer = outerOf(place.folder, folders);
  const [mine, theirs] = [place, outer].map((one) =>
    one === undefined ? undefined : choicesOf(one).find(({ used }) => used !== null)?.used,
  );
  if (!mine || !theirs || mine.digest === theirs.digest) return [];
  const message = `another default chat template than in ${quoted(theirs.file)}, of the folder above`;
  return [toFinding({ rule: 'template/disagreement', severity: 'low', file: mine.file, message })];
}

function outerOf(folder: string, folders: ReadonlyMap<string, Place>): Place | undefined {
  for (
    let at = folder.lastIndexOf('/', folder.length - 2);
    folder !== '';
    at = folder.lastIndexOf('/', at - 1)
  ) {
    const outer = folders.get(folder.slice(0, at + 1));
    if (outer !== undefined || at <= 0) return outer;
  }
  return undefined;
}

const digestOf = ({ named }: Source): string | undefined => named.get('default') ?? [...named.values()][0];
const hasDefault = (source: Source): boolean => source.named.has('default') || source.named.has('file');

function usedBy(choices: readonly LoaderChoice[]): string {
  const loaders = new Map<string, string[]>();
  for (const { loader, used } of choices) {
    if (used === null) continue;
    const names = loaders.get(used.file) ?? [];
    if (!names.includes(loader)) names.push(loader);
    loaders.set(used.file, names);
  }
  return [...loaders].map(([file, names]) => `; ${names.join(', ')}: ${quoted(file)}`).join('');
}
