// The files of any model, weights or not: signatures are made of ONNX and pickle models too, which scan has nothing to say of.
import { type Failure, sortFailures, toFailure } from '../finding.ts';
import { type MeasureOptions, measureFiles } from '../measure/measure.ts';
import type { FollowSymlinks } from '../model/links.ts';
import { listModel } from '../model/model.ts';
import type { SignableFile } from './manifest.ts';

export interface ModelContent {
  /** The folder that paths are relative to. */
  readonly root: string;
  readonly files: readonly SignableFile[];
  /** Files that could not be read: while there are any, nothing is proven of the model. */
  readonly errors: readonly Failure[];
}

export interface ContentOptions extends MeasureOptions {
  /** 'never' before signing: what is signed says that no link is in it. */
  readonly followSymlinks?: FollowSymlinks;
}

/**
 * Reads every file once and takes its digest.
 *
 * @throws SteelyardError USAGE, NOT_FOUND, NATIVE_UNAVAILABLE, ABORTED, INTERNAL.
 */
export async function digestModel(
  paths: string | readonly string[],
  options: ContentOptions = {},
): Promise<ModelContent> {
  const model = listModel(typeof paths === 'string' ? [paths] : paths, options.followSymlinks);
  const measured = await measureFiles(model.files, options);
  return {
    root: rootOf(model.files),
    files: measured.files.map(({ entry, sha256, size, format }) => ({
      path: entry.path,
      sha256,
      size,
      format,
    })),
    errors: sortFailures([...model.unscannable, ...measured.errors].map(toFailure)),
  };
}

/** The folder that paths in a report about these paths are relative to. Reads no file. */
export function modelRoot(paths: readonly string[]): string {
  return rootOf(listModel(paths).files);
}

function rootOf([file]: readonly { readonly path: string; readonly absolute: string }[]): string {
  return file === undefined ? '' : file.absolute.slice(0, -file.path.length - 1) || '/';
}
