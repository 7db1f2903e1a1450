// The files and tensors of a profile as JSON; reports and profiles share it.
import { fields, list, union } from '../../../document/json/chunks.ts';
import { inOrder } from '../order.ts';
import type { FileProfile, MetadataProfile, Profile, TemplateProfile } from '../profile.ts';

/** The two lists of a profile, as they stand in every document. */
export function* profileLines(
  { files, tensors }: Profile,
  more: readonly (keyof FileProfile)[] = [],
): Generator<string, void, undefined> {
  yield* list('files', files, [...FILE, ...more]);
  yield ',\n';
  yield* list('tensors', each(tensors, inOrder));
}

function* each<T, U>(items: readonly T[], change: (item: T) => U): Generator<U, void, undefined> {
  for (const item of items) yield change(item);
}

const FILE = union(
  fields<Omit<FileProfile, 'kind' | 'state'>>({
    path: true,
    format: true,
    size: true,
    sha256: true,
    tensorCount: true,
    headerSize: true,
    metadata: true,
    templates: true,
  }),
  fields<TemplateProfile>({ name: true, source: true, digest: true }),
  fields<MetadataProfile>({ key: true, type: true, value: true, digest: true, size: true, count: true }),
);
