// Everything of a model but its tensors against a policy: files, metadata, chat templates, limits.

import { matchesGlob } from '../../document/text/glob.ts';
import { quoted } from '../../document/violations.ts';
import { type Finding, toFinding } from '../../rules/finding.ts';
import type { Check } from '../../runtime/turn.ts';
import type { FileProfile, MetadataProfile, Profile } from '../../scan/profile/profile.ts';
import type { Limits, MetadataLine, Policy } from './policy.ts';

export function checkContent(policy: Policy, profile: Profile, check: Check): Finding[] {
  const { files, metadata, templates, limits } = policy;
  const metadataOf = metadata === null ? null : metadataCheck(metadata);
  return [
    ...profile.files.flatMap((file) => {
      check();
      return [
        ...(files === null ? [] : checkPath(file, files)),
        ...(metadataOf === null ? [] : file.metadata.flatMap((entry) => metadataOf(file, entry))),
        ...(templates === null ? [] : checkTemplates(file, templates)),
      ];
    }),
    ...checkLimits(profile, limits),
  ];
}

function checkPath({ path }: FileProfile, globs: readonly string[]): Finding[] {
  if (globs.some((glob) => matchesGlob(glob, path))) return [];
  return [
    toFinding({ rule: 'policy/file', file: path, message: 'no pattern of the policy allows this file' }),
  ];
}

type MetadataCheck = (file: FileProfile, entry: MetadataProfile) => Finding[];

function metadataCheck(lines: readonly MetadataLine[]): MetadataCheck {
  const exact = new Map(lines.map((line) => [line.key, line]));
  const prefixes = lines.filter(({ key }) => key.endsWith('*'));
  return (file, entry) => {
    const line = exact.get(entry.key) ?? prefixes.find(({ key }) => entry.key.startsWith(key.slice(0, -1)));
    const place = { rule: 'policy/metadata', file: file.path } as const;
    const actual = shown(entry);
    if (line === undefined)
      return [toFinding({ ...place, message: `${quoted(entry.key)} is not allowed`, actual })];
    const isKnown = entry.digest === undefined ? line.values?.has(actual) : line.digests.has(entry.digest);
    if (line.values === null || isKnown) return [];
    const message = `${quoted(entry.key)} has a value that is not allowed`;
    return [toFinding({ ...place, message, expected: [...line.values, ...line.digests].join(', '), actual })];
  };
}

/** A value, or the digest of one that is too long to stand in a profile. */
const shown = ({ value, digest }: MetadataProfile): string => digest ?? String(value);

function checkTemplates({ path, templates }: FileProfile, known: ReadonlySet<string>): Finding[] {
  return templates
    .filter(({ digest }) => !known.has(digest))
    .map(({ name, digest }) =>
      toFinding({
        rule: 'policy/template',
        file: path,
        message: `the template ${quoted(name)}`,
        actual: digest,
      }),
    );
}

function checkLimits({ files, tensors }: Profile, limits: Limits): Finding[] {
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const found: Finding[] = [];
  const hold = (file: string, what: string, actual: number, limit: number | undefined): void => {
    if (limit === undefined || actual <= limit) return;
    const message = `${actual} ${what}, and the policy allows ${limit}`;
    found.push(
      toFinding({ rule: 'policy/limit', file, message, expected: String(limit), actual: String(actual) }),
    );
  };
  hold('', 'files', files.length, limits.files);
  hold('', 'tensors', tensors.length, limits.tensors);
  hold('', 'bytes in all files', size, limits.size);
  for (const file of files) {
    hold(file.path, 'bytes in one file', file.size, limits.fileSize);
    hold(file.path, 'bytes of header', file.headerSize ?? 0, limits.headerSize);
  }
  return found;
}
