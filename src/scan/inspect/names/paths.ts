// Names of files and folders: what an eye, a terminal or another file system takes for something else than it is. Two names in
// one folder that Windows, macOS, a network share or a reader holds for one are two models: which one survives a copy is chance.
import { quoted } from '../../../document/violations.ts';
import { type Finding, toFinding } from '../../../rules/finding.ts';
import type { RuleId } from '../../../rules/rules.ts';
import type { Check } from '../../../runtime/turn.ts';
import { isDisguised, skeletonOf } from './confusables.ts';

export function inspectPaths(paths: readonly string[], check: Check): Finding[] {
  const found: Finding[] = [];
  const seen = new Set<string>();
  /** Folder and what a name in it becomes → the name's path. */
  const folded = new Map<string, string>();
  for (const path of [...paths].sort()) {
    check();
    for (let end = path.indexOf('/'), start = 0; ; start = end + 1, end = path.indexOf('/', start)) {
      const whole = end < 0 ? path : path.slice(0, end);
      if (!seen.has(whole)) {
        seen.add(whole);
        found.push(...judged(path, whole.slice(start), whole, folded));
      }
      if (end < 0) break;
    }
  }
  return found;
}

function judged(file: string, name: string, whole: string, folded: Map<string, string>): Finding[] {
  const plain = PLAIN.test(name);
  const found: Finding[] = [];
  const report = (rule: RuleId, message: string): void => void found.push(toFinding({ rule, file, message }));
  const key = whole.slice(0, whole.length - name.length) + (plain ? name.toLowerCase() : foldedName(name));
  const other = folded.get(key);
  if (other === undefined) folded.set(key, whole);
  else report('path/collision', `${quoted(whole)} and ${quoted(other)} ${differ(whole, other)}`);
  if (plain) return found;
  if (CONTROL.test(name)) report('name/control', `the name ${quoted(name)} holds control characters`);
  if (INVISIBLE.test(name.replace(JOINED, '')) || /^\s|\s$/.test(name))
    report(
      'name/invisible',
      `the name ${quoted(name)} holds characters that cannot be seen or that reorder it`,
    );
  if (isDisguised(name))
    report('name/confusable', `the name ${quoted(name)} mixes letters of two scripts that look the same`);
  if (/[^.]\.+$/.test(name))
    report('path/collision', `the name ${quoted(name)} ends in a dot, which Windows leaves out`);
  return found;
}

const PLAIN = /^[A-Za-z0-9_+,=()@%-]?[A-Za-z0-9_.+,=()@%-]*[A-Za-z0-9_+,=()@%-]$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;
const INVISIBLE = /[\p{Cf}\p{Zl}\p{Zp}\p{DI}\u2800\u00a0\u1680\u2000-\u200a\u202f\u205f]/u;
const JOINED = /(?<=[^\p{ASCII}])[\u200c\u200d](?=[^\p{ASCII}])|(?<=\p{Extended_Pictographic})\ufe0f/gu;

const foldedName = (name: string): string =>
  skeletonOf(
    name
      .replace(/[\p{Cf}\p{DI}]/gu, '')
      .normalize('NFC')
      .toUpperCase()
      .toLowerCase()
      .replace(/[\s.]+$/, ''),
  ).toLowerCase();

const sameCase = (a: string, b: string): boolean =>
  a.normalize('NFC').toUpperCase().toLowerCase() === b.normalize('NFC').toUpperCase().toLowerCase();

const differ = (a: string, b: string): string =>
  sameCase(a, b) ? 'differ in letter case or encoding only' : 'look the same, or are one name to Windows';
