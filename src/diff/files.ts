// Files that are not weights, and metadata. Pure.
import type { FileProfile, MetadataProfile, Profile } from '../scan/profile/profile.ts';
import type { FileChange, MetadataChange } from './report/diff-report.ts';

/** Weight files too, where neither a tensor nor metadata says why their bytes differ. */
export function fileChanges(good: Profile, suspect: Profile, explained: ReadonlySet<string>): FileChange[] {
  const found: FileChange[] = [];
  for (const [before, after] of filePairs(good, suspect)) {
    if (before?.sha256 === after?.sha256) continue;
    const isWeights = (before ?? after)!.format !== null;
    if (isWeights && (before === null || after === null || explained.has(after.path))) continue;
    const path = (after ?? before)!.path;
    found.push({ path, good: before?.sha256 ?? null, suspect: after?.sha256 ?? null });
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function metadataChanges(good: Profile, suspect: Profile): MetadataChange[] {
  return filePairs(good, suspect).flatMap(([before, after]) => {
    if (before === null || after === null) return [];
    const [old, present] = [before, after].map(
      ({ metadata }) => new Map(metadata.map((entry) => [entry.key, shown(entry)])),
    ) as [Map<string, string>, Map<string, string>];
    const keys = [...new Set([...old.keys(), ...present.keys()])];
    return keys
      .filter((key) => old.get(key) !== present.get(key))
      .map((key) => ({
        file: after.path,
        key,
        good: old.get(key) ?? null,
        suspect: present.get(key) ?? null,
      }));
  });
}

type FilePair = readonly [good: FileProfile | null, suspect: FileProfile | null];

/** By path; where each side has one weight file, these two, whatever they are called. */
function filePairs(good: Profile, suspect: Profile): FilePair[] {
  const [before, after] = [good, suspect].map(({ files }) => files.filter(({ format }) => format !== null));
  const alone = before!.length === 1 && after!.length === 1 ? ([before![0]!, after![0]!] as const) : null;
  const known = new Map(good.files.map((file) => [file.path, file]));
  const pairs: FilePair[] = alone === null ? [] : [alone];
  for (const file of suspect.files) {
    if (file === alone?.[1]) continue;
    const good = known.get(file.path);
    pairs.push([good === undefined || good === alone?.[0] ? null : good, file]);
  }
  const here = new Set(suspect.files.map(({ path }) => path));
  for (const file of good.files) if (file !== alone?.[0] && !here.has(file.path)) pairs.push([file, null]);
  return pairs;
}

const shown = ({ type, value, digest, count }: MetadataProfile): string =>
  `${type} ${digest ?? JSON.stringify(value)}${count === undefined ? '' : ` (${count} items)`}`;
