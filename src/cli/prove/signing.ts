// A report that passed → a signature file..
import { statSync } from 'node:fs';
import type { Report } from '../../baseline/report.ts';
import { counted } from '../../document/text/quantity.ts';
import { type AnyKey, signModel } from '../../proof/sign/sign.ts';
import { SEVERITIES } from '../../rules/rules.ts';
import { naming } from '../option/naming.ts';
import type { Run } from '../run.ts';
import { say } from '../terminal/message.ts';
import { excludedOf } from './excluded.ts';
import { notSignedUnseen } from './unseen.ts';

/** Signs the digests that a scan of `paths` took, if it passed; the exit code. */
export async function signReport(
  report: Report,
  paths: readonly string[],
  output: string,
  key: AnyKey,
  { write }: Run,
): Promise<number> {
  // Whatever --fail-on says: nobody looked into the file.
  const unseen = report.findings.some(
    ({ rule, waived }) => rule === 'policy/unexamined' && waived === undefined,
  );
  if (unseen || report.verdict.outcome !== 'pass') return refused(report, paths);
  const single = report.files.length === 1 && statSync(paths[0]!).isFile();
  const { name, ignore } = naming(paths, output);
  const { bundle, rootDigest, fileCount } = await signModel(report.files, key, {
    name,
    ignore: [...ignore, ...excludedOf(report)],
    single,
  });
  await write(output, [bundle]);
  say(`signed ${rootDigest}, ${counted(fileCount, 'file')}; the signature is in ${output}`);
  return 0;
}

function refused({ verdict, findings, errors }: Report, paths: readonly string[]): number {
  if (notSignedUnseen({ findings })) return 1;
  const [first] = verdict.outcome === 'fail' ? findings.filter(isWorst(findings)) : [];
  const [error] = errors;
  if (first !== undefined) say(`${first.severity}: ${first.file}: ${first.message} (${first.rule})`);
  else if (error !== undefined) say(`error ${error.code}: ${error.file}: ${error.message}`);
  const what = verdict.outcome === 'fail' ? 'the scan failed' : 'not everything could be looked at';
  say(`not signed: ${what}; see steelyard scan ${paths.join(' ')}`);
  return verdict.outcome === 'fail' ? 1 : 2;
}

function isWorst(findings: Report['findings']): (finding: Report['findings'][number]) => boolean {
  const worst = Math.max(...findings.map(({ severity }) => SEVERITIES.indexOf(severity)));
  return ({ severity }) => SEVERITIES.indexOf(severity) === worst;
}
