// Why a model with files that nobody looked into is neither signed nor attested: which files, and what to do.
import type { Report } from '../../baseline/report.ts';
import { counted } from '../../document/text/quantity.ts';
import { say } from '../terminal/message.ts';

/** Files that are named; the report has them all. */
const NAMED = 10;

/** `sayUnseen`, of a signature. */
export function notSignedUnseen(report: Pick<Report, 'findings'>): boolean {
  const unseen = sayUnseen(report);
  if (unseen) say('not signed: a signature vouches for every file, and nobody looked into these');
  return unseen;
}

/** Says it, and whether there was something to say. */
export function sayUnseen({ findings }: Pick<Report, 'findings'>): boolean {
  const unseen = findings.filter(({ rule, waived }) => rule === 'policy/unexamined' && waived === undefined);
  for (const { file, message, actual } of unseen.slice(0, NAMED)) {
    const worse = findings.find((one) => one.file === file && one.rule.startsWith('file/'));
    say(`${file}: ${worse?.message ?? message} (${actual})`);
  }
  if (unseen.length > NAMED) say(`and ${counted(unseen.length - NAMED, 'more file')}`);
  if (unseen.length > 0)
    say('delete them, or accept exactly these bytes: accept in a policy, or --accept sha256:…');
  return unseen.length > 0;
}
