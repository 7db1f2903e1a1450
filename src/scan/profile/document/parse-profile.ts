// Text → profile, or INVALID_PROFILE. A baseline decides what passes, so nothing in it is taken on trust.
import type * as Zod from 'zod';
import { quoted } from '../../../document/violations.ts';
import { SteelyardError } from '../../../rules/error.ts';
import { isTensorEntry } from '../entry.ts';
import type { TensorProfile } from '../profile.ts';
import { isIntact, type ProfileDocument } from './document.ts';
import { profileSchemas } from './profile-schema.ts';

/**
 * Reads a profile document.
 *
 * @throws SteelyardError INVALID_PROFILE: not JSON, not `steelyard/profile/1`, or not what its digest names. The message says
 * where (`tensors[3].shape[0]`) and why.
 */
export function parseProfile(text: string): ProfileDocument {
  const { ProfileFrame, TensorEntry } = profileSchemas();
  const frame = ProfileFrame.safeParse(parsed(text));
  if (!frame.success) throw invalid(...reasonOf(frame.error));
  const tensors = frame.data.tensors;
  const index = tensors.findIndex((entry) => !isTensorEntry(entry));
  if (index >= 0) {
    const { error } = TensorEntry.safeParse(tensors[index]);
    const [path, reason] = error === undefined ? ([[], 'not a tensor entry'] as const) : reasonOf(error);
    throw invalid(['tensors', index, ...path], reason);
  }
  // What the schema has checked: optional fields are absent or of their type.
  const document = frame.data as ProfileDocument;
  assertConsistent(document);
  if (!isIntact(document, text)) {
    throw invalid(['digest'], 'the content is not the one that the digest names: it was edited, or cut');
  }
  return document;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // The parser's message quotes the text, which is foreign.
    throw invalid([], 'not JSON; expected what steelyard profile writes', cause);
  }
}

/** References and names that no schema can express: comparing relies on them. */
function assertConsistent({ files, tensors }: ProfileDocument): void {
  const counts = new Map<string, number>();
  files.forEach(({ path }, index) => {
    if (counts.has(path)) throw invalid(['files', index, 'path'], `the path ${quoted(path)} is there twice`);
    counts.set(path, 0);
  });
  const names = new Map<string, Set<string>>();
  tensors.forEach((tensor: TensorProfile, index) => {
    const count = counts.get(tensor.file);
    if (count === undefined)
      throw invalid(['tensors', index, 'file'], `${quoted(tensor.file)} is not one of the files`);
    counts.set(tensor.file, count + 1);
    const known = names.get(tensor.file) ?? new Set<string>();
    if (known.has(tensor.name))
      throw invalid(['tensors', index, 'name'], `${quoted(tensor.name)} is there twice`);
    names.set(tensor.file, known.add(tensor.name));
    if (tensor.end < tensor.start) throw invalid(['tensors', index, 'end'], 'the end is before the start');
  });
  files.forEach(({ path, tensorCount }, index) => {
    if (counts.get(path) === tensorCount) return;
    throw invalid(['files', index, 'tensorCount'], `the profile has ${counts.get(path)} tensors of the file`);
  });
}

function reasonOf(error: Zod.ZodError): [PropertyKey[], string] {
  const [issue] = error.issues;
  return [issue!.path, issue!.code === 'unrecognized_keys' ? unknownKeys(issue!.keys) : issue!.message];
}

const unknownKeys = (keys: readonly string[]): string => `unknown field ${keys.map(quoted).join(', ')}`;

function invalid(path: readonly PropertyKey[], reason: string, cause?: unknown): SteelyardError {
  const where = path.reduce<string>(
    (all, key) => all + (typeof key === 'number' ? `[${key}]` : `${all === '' ? '' : '.'}${String(key)}`),
    '',
  );
  const message = `${where === '' ? 'the profile' : where}: ${reason}; make the baseline again with steelyard profile`;
  return new SteelyardError('INVALID_PROFILE', message, { cause });
}
