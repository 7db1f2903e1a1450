// The files that are there against the files that were declared. Every difference is told, not the first alone.

import { isLoadable } from '../../../scan/model/loadable.ts';
import { type Refusal, Refused } from '../refusal.ts';
import { hexOf, type Resource, type SignableFile } from '../statement/manifest.ts';
import { byBytes } from '../statement/path.ts';
import { exclusion, isGit, mayBeLeftOut } from './exclusion.ts';

interface Exclusions {
  /** By the signer: weights and code among them are refused. */
  readonly signer: readonly string[];
  /** By the verifier, who answers for it: the signature file itself. */
  readonly verifier: readonly string[];
}

/** The files that are there and that the declaration leaves out. Refuses every difference; the graver first. */
export function compareFiles(
  declared: readonly (Resource & { readonly size?: number })[],
  files: readonly SignableFile[],
  { signer, verifier }: Exclusions,
): string[] {
  const actual = new Map(files.map((file) => [file.path, file]));
  const names = new Set(declared.map(({ name }) => name));
  const bySigner = exclusion(signer);
  const byVerifier = exclusion(verifier);
  // A file that is declared is compared, whatever the exclusions say.
  const rest = files.filter(({ path }) => !names.has(path) && !byVerifier(path));
  const ignored = rest.filter(({ path }) => bySigner(path) || isGit(path));
  const extra = rest.filter((file) => !ignored.includes(file));
  const missing = declared.filter(({ name }) => !actual.has(name));
  const refusals = [
    ...declared.flatMap((one) => changed(one, actual.get(one.name))),
    ...renamed(missing, extra),
    ...ignored
      .filter(({ path, format }) => !isGit(path) && (format !== null || !mayBeLeftOut(path)))
      .map(hidden),
  ];
  const [first, ...more] = refusals;
  if (first !== undefined) throw new Refused([first, ...more]);
  return ignored.map(({ path }) => path).sort(byBytes);
}

function changed(
  { name, sha256, size }: Resource & { size?: number },
  file: SignableFile | undefined,
): Refusal[] {
  if (file === undefined) return [];
  if (hexOf(file.sha256) !== sha256) {
    return [
      {
        code: 'DIGEST_MISMATCH',
        file: name,
        message: 'the file is not the one that was declared',
        expected: `sha256:${sha256}`,
        actual: file.sha256,
      },
    ];
  }
  if (size === undefined || size === file.size) return [];
  const message = 'the size that was declared is not that of the file';
  return [
    { code: 'DIGEST_MISMATCH', file: name, message, expected: `${size} bytes`, actual: `${file.size} bytes` },
  ];
}

/** A file that is gone and one that is too many, with one digest, are one file with another name. */
function renamed(missing: readonly Resource[], extra: readonly SignableFile[]): Refusal[] {
  const left = new Map(extra.map((file) => [file.path, file]));
  const gone = missing.flatMap(({ name, sha256 }): Refusal => {
    const twin = [...left.values()].find((file) => hexOf(file.sha256) === sha256);
    if (twin === undefined) return { code: 'MISSING_FILE', file: name, message: 'the file is not there' };
    left.delete(twin.path);
    const message = 'the file has another name than the one that was declared';
    return { code: 'RENAMED_FILE', file: twin.path, message, expected: name, actual: twin.path };
  });
  const added = [...left.values()].map(({ path, format }): Refusal => {
    const what =
      format !== null || isLoadable(path) ? 'the file, which a loader would load or run,' : 'the file';
    return { code: 'EXTRA_FILE', file: path, message: `${what} was not declared` };
  });
  return [...gone, ...added];
}

const hidden = ({ path }: SignableFile): Refusal => ({
  code: 'IGNORED_WEIGHTS',
  file: path,
  message: 'a loader may read or run the file, and the signer left it out: nothing vouches for it',
});
