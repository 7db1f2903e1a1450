// The files of any model, weights or not: signatures are made of ONNX and pickle models too, which scan has nothing to say of.
import { statSync } from 'node:fs';
import { type Failure, type Finding, sortFailures, toFailure } from '../../../rules/finding.ts';
import { measureFiles } from '../../../scan/measure/measure.ts';
import type { MeasuredFile } from '../../../scan/measure/measured.ts';
import type { MeasureOptions } from '../../../scan/measure/options.ts';
import type { FollowSymlinks } from '../../../scan/model/links.ts';
import { listModel } from '../../../scan/model/model.ts';
import type { FileProfile, TensorProfile } from '../../../scan/profile/profile.ts';
import type { SignableFile } from '../statement/manifest.ts';

/** What a declaration says of a tensor: `Report.tensors` and `Profile.tensors` have it. */
export type DeclarableTensor = Pick<TensorProfile, 'name' | 'dtype' | 'shape' | 'sha256'>;

export type ContentFile = SignableFile & Pick<FileProfile, 'kind' | 'state'>;

export interface ModelContent {
  /** The folder that paths are relative to. */
  readonly root: string;
  /** With what each is by its content; what was not read is `hashed`, and nobody knows its kind. */
  readonly files: readonly ContentFile[];
  /** Of the weight files that were read. */
  readonly tensors: readonly DeclarableTensor[];
  /** Of files that were read, where `inspect` asked for them; the worst that a scan of these files alone would say. */
  readonly findings: readonly Finding[];
  /** Files that could not be read: while there are any, nothing is proven of the model. */
  readonly errors: readonly Failure[];
}

export interface ContentOptions extends MeasureOptions {
  /** 'never' before signing: what is signed says that no link is in it. */
  readonly followSymlinks?: FollowSymlinks;
  /** Digests by path that are taken as they are: these files are not read. See `reusableDigests`. */
  readonly known?: ReadonlyMap<string, string>;
  /** Whether files that are read are inspected too. */
  readonly inspect?: boolean;
}

/**
 * Reads every file once and takes its digest.
 *
 * @throws SteelyardError USAGE, NOT_FOUND, NATIVE_UNAVAILABLE, ABORTED, INTERNAL.
 */
export async function digestModel(
  paths: string | readonly string[],
  { known = new Map(), followSymlinks, inspect = false, ...measuring }: ContentOptions = {},
): Promise<ModelContent> {
  const model = listModel(typeof paths === 'string' ? [paths] : paths, {
    follow: followSymlinks,
    everything: true,
  });
  const measured = await measureFiles(
    model.files.filter(({ path }) => !known.has(path)),
    measuring,
  );
  const read = new Map(measured.files.map((file) => [file.entry.path, file]));
  return {
    root: rootOf(model.files),
    files: model.files.flatMap(({ path, absolute }) => {
      const sha256 = known.get(path);
      if (sha256 !== undefined)
        return [{ path, sha256, size: statSync(absolute).size, format: null, state: 'hashed' as const }];
      const file = read.get(path);
      return file === undefined ? [] : [contentOf(file)];
    }),
    tensors: measured.files.flatMap(tensorsOf),
    findings: inspect ? await findingsOf(measured.files, new Set(known.keys())) : [],
    errors: sortFailures([...model.unscannable, ...measured.errors].map(toFailure)),
  };
}

/** `unread`: parts of the model that nobody looks at now, and that are not missing. */
async function findingsOf(files: readonly MeasuredFile[], unread: ReadonlySet<string>): Promise<Finding[]> {
  const { buildProfile, inspect, templatesOf } = await import('../../../baseline/stages.ts');
  const templates = files.map(templatesOf);
  const profile = buildProfile(files, templates);
  return inspect({ profile, files, templates, unread, base: undefined, forensics: false });
}

const contentOf = ({ entry, sha256, size, format, kind, state }: MeasuredFile): ContentFile => ({
  path: entry.path,
  sha256,
  size,
  format,
  kind,
  state,
});

const tensorsOf = ({ layout, tensors }: MeasuredFile): DeclarableTensor[] =>
  (layout?.tensors ?? []).map(({ name, dtype, shape }, index) => ({
    name,
    dtype,
    shape,
    sha256: tensors[index]?.sha256 ?? null,
  }));

/** The folder that paths in a report about these paths are relative to. Reads no file. */
export function modelRoot(paths: readonly string[]): string {
  return rootOf(listModel(paths).files);
}

function rootOf([file]: readonly { readonly path: string; readonly absolute: string }[]): string {
  return file === undefined ? '' : file.absolute.slice(0, -file.path.length - 1) || '/';
}
