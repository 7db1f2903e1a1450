// A verification for people and for grep: a line for each refusal with its code first, the verdict last.

import type { Verdict } from '../../baseline/policy/verdict.ts';
import { inert } from '../../document/text/inert.ts';
import { counted } from '../../document/text/quantity.ts';
import type { Outcome, Refusal } from '../../proof/sign/refusal.ts';
import type { Signer } from '../../proof/sign/trust.ts';
import type { Failure } from '../../rules/finding.ts';

interface Proof {
  readonly signer: Signer | null;
  readonly rootDigest?: string;
  readonly fileCount?: number;
  readonly unsigned?: readonly string[];
}

/** Refusals that are shown; a hostile folder can have a million. */
const SHOWN = 100;

/**
 * The text, and the exit code: 0 verified, 1 refused, 2 not everything could be looked at.
 *
 * @param scanned the verdict of a scan of the same bytes, if there was one: what fails it is refused, and so is what nobody looked into.
 */
export function outcomeText(
  outcome: Outcome<Proof>,
  errors: readonly Failure[],
  scanned?: Verdict['outcome'] | 'unseen',
): { readonly text: string; readonly code: number } {
  const failed = errors.map(({ code, file, message }) => `${code}  ${inert(file)}: ${inert(message)}`);
  const refusals = outcome.verified ? [] : known(outcome.refusals, errors);
  const lines = [...refusals.slice(0, SHOWN).map(refusalLine), ...failed];
  if (refusals.length > SHOWN) lines.push(`and ${refusals.length - SHOWN} more refusals`);
  const [first] = refusals;
  if (first !== undefined) {
    return text([...lines, `REFUSED  ${first.code}: ${inert(first.message)}   exit 1: refused`], 1);
  }
  if (scanned === 'fail' || scanned === 'unseen') {
    const how = scanned === 'fail' ? 'their scan failed' : 'some of them nobody looked into';
    const message = `the files are those that were signed, and ${how}`;
    return text([...lines, `REFUSED  FAILED_SCAN: ${message}   exit 1: refused`], 1);
  }
  if (errors.length > 0 || !outcome.verified) {
    return text([...lines, 'NOT VERIFIED  not everything could be looked at   exit 2: no verdict'], 2);
  }
  return text([...proofLines(outcome), `VERIFIED  ${signerText(outcome.signer)}   exit 0: verified`], 0);
}

const text = (lines: readonly string[], code: number) => ({ text: `${lines.join('\n')}\n`, code });

/** A file that could not be read is not missing. A refusal of any other file is beyond doubt, and beats the error. */
function known(refusals: readonly Refusal[], errors: readonly Failure[]): readonly Refusal[] {
  const unread = new Set(errors.map(({ file }) => file));
  return refusals.filter(({ code, file }) => code !== 'MISSING_FILE' || !unread.has(file ?? ''));
}

function refusalLine({ code, file, message, expected, actual }: Refusal): string {
  const where = file === undefined ? '' : `${inert(file)}: `;
  const what = [
    ...(expected === undefined ? [] : [`expected ${inert(expected)}`]),
    ...(actual === undefined ? [] : [`actual ${inert(actual)}`]),
  ];
  return `${code}  ${where}${inert(message)}${what.length === 0 ? '' : ` (${what.join(', ')})`}`;
}

function proofLines({ rootDigest, fileCount, unsigned = [] }: Proof): string[] {
  const lines = rootDigest === undefined ? [] : [`root   ${rootDigest}`];
  if (fileCount !== undefined) {
    const besides =
      unsigned.length === 0 ? '' : `, ${counted(unsigned.length, 'file')} beside it not covered`;
    lines.push(`files  ${counted(fileCount, 'file')} unchanged${besides}`);
  }
  return lines;
}

/** Who signed, in one phrase. */
export function signerText(signer: Signer | null): string {
  if (signer === null) return 'against the MBOM; nobody was asked who wrote it';
  if (signer.method === 'key') return `signed by key ${signer.fingerprint}`;
  if (signer.method === 'certificate') {
    return `signed by certificate ${signer.fingerprint} of ${inert(signer.subject)}`;
  }
  return `signed by ${inert(signer.identity)}, vouched for by ${inert(signer.issuer)}`;
}
