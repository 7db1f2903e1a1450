// Before terabytes are hashed: is there anything that can be examined, or that fails already? 64 KiB of each file say it.
import { SteelyardError } from '../../rules/error.ts';
import type { Severity } from '../../rules/rule.ts';
import type { Check } from '../../runtime/turn.ts';
import { detectFormat } from '../format/format.ts';
import { isDocument } from '../model/companion.ts';
import { type FileEntry, ModelFile } from '../model/file.ts';
import { notToBeLeftOut } from '../model/left-out.ts';
import { contentOf } from './content.ts';
import type { Kind } from './kind.ts';

/** Whether a scan can come to a verdict: a file for one of our readers, or one that fails for what it is. */
export async function firstLook(
  entries: readonly FileEntry[],
  failing: readonly Severity[],
  check: Check,
): Promise<boolean> {
  if (entries.some(({ path }) => isDocument(path) || detectFormat(path, NOTHING) !== null)) return true;
  for (const entry of entries) if (await canFail(entry, failing, check)) return true;
  return false;
}

/** What is left out by its name must be as harmless by its content. Throws USAGE, IO. */
export async function assertHarmless(excluded: readonly FileEntry[], check: Check): Promise<void> {
  for (const entry of excluded) {
    check();
    const file = ModelFile.open(entry);
    try {
      const { kind } = await contentOf(entry.path, file.looked, check);
      if (detectFormat(entry.path, file.head(4)) !== null || !HARMLESS.has(kind))
        throw notToBeLeftOut(entry.path);
    } finally {
      file.close();
    }
  }
}

const HARMLESS = new Set<Kind>(['text', 'json', 'image', 'media', 'empty']);

const NOTHING = new Uint8Array(0);

/** Also where the file cannot be opened: the scan says why. */
async function canFail(entry: FileEntry, failing: readonly Severity[], check: Check): Promise<boolean> {
  let file: ModelFile | undefined;
  try {
    check();
    file = ModelFile.open(entry);
    if (detectFormat(entry.path, file.head(4)) !== null) return true;
    const { violations } = await contentOf(entry.path, file.looked, check);
    const { RULES } = await import('../../rules/rules.ts');
    return violations.some(({ rule, severity }) => failing.includes(severity ?? RULES.get(rule)!.severity));
  } catch (error) {
    if (error instanceof SteelyardError) return true;
    throw error;
  } finally {
    file?.close();
  }
}
