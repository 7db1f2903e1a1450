// What --exclude left out of a scan, for what is signed about the model: recorded by name, and only what a verifier accepts.
import type { Report } from '../../baseline/report.ts';
import { mayBeLeftOut } from '../../proof/sign/files/exclusion.ts';
import { SteelyardError } from '../../rules/error.ts';

/** Throws USAGE where verifying would refuse the signature. */
export function excludedOf({ leftOut = [] }: Pick<Report, 'leftOut'>): string[] {
  const paths = leftOut.flatMap(({ paths: named = [] }) => named);
  const refused = paths.find((path) => !mayBeLeftOut(path));
  if (refused === undefined) return paths;
  throw new SteelyardError(
    'USAGE',
    `${refused} cannot be left out of what is signed: verify accepts that of texts for people, pictures and evidence only; ` +
      'move the file out of the folder',
    { file: refused },
  );
}
