// One of the two models: what it is, and where its bytes are.
import { withoutFiles } from '../baseline/compare/compare.ts';
import { type Path, pathsOf } from '../document/options.ts';
import { SteelyardError } from '../rules/error.ts';
import { measureFiles } from '../scan/measure/measure.ts';
import type { MeasuredFile } from '../scan/measure/measured.ts';
import type { MeasureOptions } from '../scan/measure/options.ts';
import { changed, type FileEntry, ModelFile } from '../scan/model/file.ts';
import type { FollowSymlinks } from '../scan/model/links.ts';
import { listModel } from '../scan/model/model.ts';
import { buildProfile } from '../scan/profile/build.ts';
import type { ProfileDocument } from '../scan/profile/document/document.ts';
import type { Profile } from '../scan/profile/profile.ts';
import { templatesOf } from '../scan/profile/template/collect.ts';
import type { Side } from './report/diff-report.ts';

/** Files and folders, or the profile of a model that is not at hand. */
export type ModelSource = Path | readonly Path[] | ProfileDocument;

interface SideOptions
  extends Pick<MeasureOptions, 'threads' | 'io' | 'rows' | 'isolate' | 'signal' | 'onProgress'> {
  /** A ready profile: the weights are not measured again, and only tensors that changed are read. */
  readonly profile?: ProfileDocument | undefined;
  readonly followSymlinks?: FollowSymlinks | undefined;
}

export interface SideModel {
  readonly which: 'good' | 'suspect';
  readonly profile: Profile;
  /** By path; null: only a profile is there. */
  readonly files: ReadonlyMap<string, KnownFile> | null;
  readonly errors: readonly SteelyardError[];
}

interface KnownFile {
  readonly entry: FileEntry;
  readonly size: number;
  /** As measured; null: nobody measured it, its profile was there. */
  readonly identity: string | null;
}

export async function readSide(
  which: SideModel['which'],
  source: ModelSource,
  { profile, followSymlinks, ...measuring }: SideOptions,
): Promise<SideModel> {
  if (isProfile(source)) {
    if (profile !== undefined)
      throw new SteelyardError('USAGE', `the ${which} model is a profile already; leave the other one out`);
    return { which, profile: source, files: null, errors: [] };
  }
  const model = listModel(pathsOf(source), { follow: followSymlinks });
  if (profile !== undefined) return ready(which, model.files, profile);
  const measured = await measureFiles(model.files, measuring);
  return sideOf(which, measured.files, [...model.unscannable, ...measured.errors]);
}

/** Several models in one go of the workers, which take longer to start than a small adapter to read. */
export async function readSides(
  which: SideModel['which'],
  paths: readonly string[],
  { followSymlinks, ...measuring }: Omit<SideOptions, 'profile'>,
): Promise<SideModel[]> {
  const models = paths.map((path) => listModel([path], { follow: followSymlinks }));
  const measured = await measureFiles(
    models.flatMap(({ files }) => files),
    measuring,
  );
  const found = new Map(measured.files.map((file) => [file.entry, file]));
  return models.map(({ files, unscannable }) => {
    const lost = new Set(files.filter((entry) => !found.has(entry)).map(({ path }) => path));
    const errors = measured.errors.filter(({ file }) => file !== undefined && lost.has(file));
    return sideOf(
      which,
      files.flatMap((entry) => found.get(entry) ?? []),
      [...unscannable, ...errors],
    );
  });
}

const sideOf = (
  which: SideModel['which'],
  measured: readonly MeasuredFile[],
  errors: readonly SteelyardError[],
): SideModel => ({
  which,
  profile: buildProfile(measured, measured.map(templatesOf)),
  files: new Map(measured.map(({ entry, size, identity }) => [entry.path, { entry, size, identity }])),
  errors,
});

function isProfile(source: ModelSource): source is ProfileDocument {
  return typeof source === 'object' && source !== null && 'schema' in source;
}

/** The files that a ready profile describes, if they can be: a profile of another model must not speak for this one. */
function ready(
  which: SideModel['which'],
  entries: readonly FileEntry[],
  profile: ProfileDocument,
): SideModel {
  const found = new Map(entries.map((entry) => [entry.path, entry]));
  const files = new Map<string, KnownFile>();
  for (const { path, size } of profile.files) {
    const entry = found.get(path);
    if (entry === undefined) throw mismatch(which, path, 'the profile has it, the model does not');
    const file = ModelFile.open(entry);
    file.close();
    if (file.size !== size)
      throw mismatch(which, path, `it has ${file.size} bytes, and ${size} in the profile`);
    files.set(path, { entry, size, identity: null });
    found.delete(path);
  }
  const [more] = found.keys();
  if (more !== undefined) throw mismatch(which, more, 'the profile does not have it');
  return { which, profile, files, errors: [] };
}

const mismatch = (which: string, file: string, how: string): SteelyardError =>
  new SteelyardError(
    'INVALID_PROFILE',
    `this is no profile of the ${which} model: ${how}; make it again with steelyard profile`,
    { file },
  );

/** Opens a file for a second look. Throws FILE_CHANGED if it is not the one that was measured. */
export function reopen(side: SideModel, path: string): ModelFile {
  const { entry, size, identity } = side.files!.get(path)!;
  const file = ModelFile.open(entry);
  if (file.size === size && (identity === null || file.identity === identity)) return file;
  file.close();
  throw changed(entry, 'it is another one than was measured');
}

/** What both sides have of files that both could read: what could not be read is not gone. */
export function readable(sides: readonly [SideModel, SideModel]): [Profile, Profile] {
  const unread = new Set(sides.flatMap(({ errors }) => errors.map(({ file }) => file ?? '')));
  const [good, suspect] = sides.map(({ profile }) => withoutFiles(profile, unread)) as [Profile, Profile];
  // One file against another of another name.
  const isLost = sides.some(({ errors, profile }) => errors.length > 0 && profile.tensors.length === 0);
  return isLost
    ? [
        { ...good, tensors: [] },
        { ...suspect, tensors: [] },
      ]
    : [good, suspect];
}

/** A side as the report tells it. */
export function summaryOf({ files, tensors }: Profile): Side {
  return {
    files: files.map(({ path, format, size, sha256 }) => ({ path, format, size, sha256 })),
    tensorCount: tensors.length,
    count: tensors.reduce((sum, { shape }) => sum + shape.reduce((all, size) => all * size, 1), 0),
    size: files.reduce((sum, { size }) => sum + size, 0),
  };
}
