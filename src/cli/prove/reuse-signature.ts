// `steelyard sign --reuse`: a change of the README of 500 GB of weights need not read the weights again.
import { existsSync } from 'node:fs';
import type { FailOn } from '../../baseline/policy/policy.ts';
import { checkUnexamined } from '../../baseline/policy/unexamined.ts';
import { counted } from '../../document/text/quantity.ts';
import { digestModel, modelRoot } from '../../proof/sign/files/model-digest.ts';
import { reusableDigests } from '../../proof/sign/files/reuse.ts';
import { type AnyKey, signModel } from '../../proof/sign/sign.ts';
import { SteelyardError } from '../../rules/error.ts';
import { severitiesFrom } from '../../rules/rules.ts';
import { print, readSignature } from '../option/mbom-options.ts';
import { insideOf, naming } from '../option/naming.ts';
import type { ReuseFlags } from '../option/reuse-options.ts';
import { trustOf, usage } from '../option/trust-options.ts';
import type { Run } from '../run.ts';
import { say } from '../terminal/message.ts';
import { outcomeText, signerText } from './outcome.ts';
import { notSignedUnseen } from './unseen.ts';

interface Flags extends ReuseFlags {
  readonly output: string;
  readonly failOn?: FailOn;
  readonly policy?: string;
  readonly accept?: readonly string[];
}

export async function signAgain(
  paths: readonly string[],
  { reuse, publicKey, changed = [], output, failOn, policy, accept = [] }: Flags,
  key: AnyKey,
  { signal, onProgress, measured, write }: Run,
): Promise<number> {
  if (publicKey === undefined)
    throw usage('--reuse needs --public-key: an old signature by anybody proves nothing');
  if (failOn !== undefined) throw usage('--reuse does not scan: leave --fail-on out, or --reuse');
  if (policy !== undefined)
    throw usage('--reuse does not scan: leave --policy out and give --accept, or leave --reuse out');
  const root = modelRoot(paths);
  const again = changed.map((path) => nameOf(path, root));
  const [bundle, trust] = [readSignature(reuse!), trustOf({ publicKey })];
  const signed = reusableDigests(bundle, trust, []);
  const old = reusableDigests(bundle, trust, again);
  if (!signed.verified) return print(outcomeText(signed, []));
  if (!old.verified) return print(outcomeText(old, []));
  const { files, findings, errors } = await digestModel(paths, {
    known: old.digests,
    inspect: true,
    followSymlinks: 'never',
    signal,
    onProgress,
  });
  measured();
  for (const { code, file, message } of errors) say(`error ${code}: ${file}: ${message}`);
  // Whoever signed a file vouched for exactly these bytes; nobody did so for what is new or was changed.
  const vouched = new Set([...signed.digests.values(), ...accept]);
  const unseen = checkUnexamined({ files }, 'listed', vouched, findings);
  if (notSignedUnseen({ findings: [...findings, ...unseen] })) return 1;
  const accepted = new Set(files.filter(({ sha256 }) => vouched.has(sha256)).map(({ path }) => path));
  const [failing] = findings.filter(({ file, severity }) => FAILING.has(severity) && !accepted.has(file));
  if (failing !== undefined) {
    say(`${failing.severity}: ${failing.file}: ${failing.message} (${failing.rule})`);
    say('not signed: a file that was read again would fail a scan; sign without --reuse, and all is scanned');
    return 1;
  }
  if (errors.length > 0) return 2;
  const { bundle: made, rootDigest, fileCount } = await signModel(files, key, naming(paths, output));
  await write(output, [made]);
  const trusted = files.filter(({ path }) => old.digests.has(path)).length;
  say(`signed ${rootDigest}, ${counted(fileCount, 'file')}; the signature is in ${output}`);
  say(
    `not scanned as a whole: ${counted(files.length - trusted, 'file')} read, ` +
      `${counted(trusted, 'digest')} taken from ${reuse}, ${signerText(old.signer)}`,
  );
  return 0;
}

/** What fails a scan that is told nothing else. */
const FAILING: ReadonlySet<string> = new Set(severitiesFrom('high'));

function nameOf(path: string, root: string): string {
  const inside = insideOf(root, path);
  if (inside === null || inside === '' || !existsSync(path)) {
    throw new SteelyardError('NOT_FOUND', `--changed ${path}: there is no such file or folder in the model`);
  }
  return inside;
}
