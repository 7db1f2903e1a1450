// Files that nobody looked into against what the policy says of them. By digest, because a name promises nothing.
import { type Finding, toFinding } from '../../rules/finding.ts';
import { isUnexamined, kindWords } from '../../scan/identify/kind.ts';
import type { FileProfile } from '../../scan/profile/profile.ts';

/** forbid: there are none; listed: each is accepted by its digest; allow: they are the caller's business. */
export const UNEXAMINED = ['forbid', 'listed', 'allow'] as const;
export type Unexamined = (typeof UNEXAMINED)[number];

type Judged = Pick<FileProfile, 'path' | 'sha256' | 'format' | 'kind' | 'state'>;

export function checkUnexamined(
  { files }: { readonly files: readonly Judged[] },
  demand: Unexamined,
  accepted: ReadonlySet<string>,
  found: readonly Finding[],
): Finding[] {
  if (demand === 'allow') return [];
  // An adapter of a kind that is not known was read, and nobody knows what it does.
  const unknown = new Set(found.filter(({ rule }) => rule === 'adapter/kind').map(({ file }) => file));
  // A profile does not say what was looked into; only a scan does.
  const looked = files.filter(({ state }) => state !== undefined);
  return looked
    .filter((file) => isUnexamined(file) || unknown.has(file.path))
    .filter((file) => !(demand === 'listed' && accepted.has(file.sha256)))
    .map(({ path, kind = 'unknown', sha256 }) =>
      toFinding({
        rule: 'policy/unexamined',
        file: path,
        message: unknown.has(path)
          ? 'the file is an adapter of a kind that is not checked'
          : `the file is ${kindWords(kind)}, and was only hashed`,
        actual: sha256,
      }),
    );
}
