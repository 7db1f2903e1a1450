// `steelyard verify`: are these files what a trusted signer signed?
import { resolve } from 'node:path';
import { Command } from 'commander';
import { checkUnexamined } from '../../baseline/policy/unexamined.ts';
import type { Verdict } from '../../baseline/policy/verdict.ts';
import type { Report } from '../../baseline/report.ts';
import { isGit } from '../../proof/sign/files/exclusion.ts';
import { digestModel, modelRoot } from '../../proof/sign/files/model-digest.ts';
import type { Outcome } from '../../proof/sign/refusal.ts';
import type { Trust } from '../../proof/sign/trust.ts';
import type { Finding } from '../../rules/finding.ts';
import { loading } from '../../runtime/loading.ts';
import { scan } from '../../scan.ts';
import { type ExaminationFlags, withAccept } from '../option/comparison-options.ts';
import { readInput } from '../option/input.ts';
import { isMbom, print, readSignature } from '../option/mbom-options.ts';
import { insideOf } from '../option/naming.ts';
import { type TrustListFlags, trustFor, withTrustList } from '../option/trust-list-options.ts';
import { usage, withTrust } from '../option/trust-options.ts';
import { type Run, run } from '../run.ts';
import { wantsColour } from '../terminal/colour.ts';
import { writeStdout } from '../terminal/output.ts';
import { outcomeText } from './outcome.ts';
import { sayUnseen } from './unseen.ts';

interface Flags extends TrustListFlags, Pick<ExaminationFlags, 'accept'> {
  readonly signature: string;
  readonly scan?: true;
  readonly zone?: string;
  readonly receipt?: string;
  readonly receiptKey?: string;
}

export function verifyCommand(): Command {
  return withAccept(withTrustList(withTrust(new Command('verify'))))
    .summary('verify the signature of a model, or of an MBOM')
    .description(
      'Verifies Model Signing bundles of any version, made by any implementation, with a key, a certificate or an identity; ' +
        'for a single FILE.mbom.yaml, a signature by steelyard or `cosign sign-blob`. Works offline.',
    )
    .argument('<path...>', 'files and folders of one model, or one MBOM')
    .requiredOption('--signature <file>', 'the signature: model.sig')
    .option(
      '--scan',
      'scan the model in the same reading; refuse it if the scan fails or a file is unexamined',
    )
    .option(
      '--zone <name>',
      'also: a signed receipt says that the model was pulled by the rules of this zone',
    )
    .option('--receipt <file>', 'that receipt (default: PATH.pull.intoto.jsonl)')
    .option('--receipt-key <file>', 'the public key (PEM) that must have signed the receipt')
    .action((paths: string[], flags: Flags) => run((context) => verification(paths, flags, context)));
}

async function verification(paths: readonly string[], flags: Flags, context: Run): Promise<number> {
  const bundle = readSignature(flags.signature);
  const trusted = await trustFor(flags, bundle);
  if (!trusted.verified) return print(outcomeText(trusted, []));
  const { trust } = trusted;
  if (flags.accept !== undefined && !flags.scan)
    throw usage('--accept goes with --scan: without it, nothing is looked into');
  if (isMbom(paths)) {
    if (flags.scan) throw usage('an MBOM is not scanned: leave --scan out');
    if (flags.zone !== undefined) throw usage('an MBOM comes from no zone: leave --zone out');
    return mbomVerification(readInput(paths[0]!, 'MBOM'), bundle, trust);
  }
  const zone = zoneOf(paths, flags);
  const { signal, onProgress, measured } = context;
  // What is signed says that no link is in it; a link that took the place of a file has the same bytes only today.
  const scanning = flags.scan
    ? scan(paths, { followSymlinks: 'cache', everything: true, signal, onProgress })
    : null;
  const reading = scanning ?? digestModel(paths, { followSymlinks: 'cache', signal, onProgress });
  const proving = loading(import('../../proof/sign/verify.ts'));
  const rendering = scanning && loading(import('../terminal/rendering.ts'));
  const { files, errors } = await reading;
  const report = await scanning;
  measured();
  const beside = zone === null ? [flags.signature] : [flags.signature, zone.path];
  const ignore = beside.map((path) => insideOf(modelRoot(paths), path)).filter((path) => path !== null);
  const { verify } = await proving;
  const outcome = both(
    verify(files, bundle, trust, { ignore }),
    zone === null
      ? null
      : (await import('../../pull/receipt/receipt-verification.ts')).verifyReceipt(
          files,
          zone.bundle,
          zone.trust,
          { zone: zone.name, ignore },
        ),
  );
  let scanned: Verdict['outcome'] | 'unseen' | undefined = report?.verdict.outcome;
  if (report !== null) {
    const { rendered } = (await rendering)!;
    const colour = wantsColour(process.stdout, process.env);
    await writeStdout([...rendered(report, { format: 'text', quiet: true }, colour), '\n']);
    if (sayUnseen({ findings: unseenOf(report, flags.accept) }))
      scanned = scanned === 'fail' ? scanned : 'unseen';
  }
  return print(outcomeText(outcome, errors, scanned));
}

/** What Git keeps is nobody's to load; of the rest, whoever signed it may not have looked either. */
function unseenOf({ files, findings }: Report, accept: readonly string[] = []): readonly Finding[] {
  const looked = files.filter(({ path }) => !isGit(path));
  return [...findings, ...checkUnexamined({ files: looked }, 'listed', new Set(accept), findings)];
}

interface ZoneClaim {
  readonly name: string;
  readonly path: string;
  readonly bundle: Buffer;
  readonly trust: Trust;
}

/** What is asked about where the model came from; null: nothing. Nothing in the receipt says whose key it is. */
function zoneOf(paths: readonly string[], { zone, receipt, receiptKey }: Flags): ZoneClaim | null {
  if (zone === undefined) {
    if (receipt === undefined && receiptKey === undefined) return null;
    throw usage('--receipt and --receipt-key go with --zone');
  }
  if (receiptKey === undefined)
    throw usage('--zone needs --receipt-key: only a receipt that it signed counts');
  const path = receipt ?? `${resolve(paths[0]!)}.pull.intoto.jsonl`;
  const trust = { method: 'key', publicKey: readInput(receiptKey, 'public key') } as const;
  return { name: zone, path, bundle: readSignature(path), trust };
}

/** What one refuses and what the other refuses, together. */
function both<T extends object>(outcome: Outcome<T>, more: Outcome<object> | null): Outcome<T> {
  if (more === null || more.verified) return outcome;
  if (outcome.verified) return more;
  return { verified: false, refusals: [...outcome.refusals, ...more.refusals] };
}

async function mbomVerification(document: Buffer, bundle: Buffer, trust: Trust): Promise<number> {
  const { verifyDocument } = await import('../../proof/sign/verify.ts');
  const outcome = verifyDocument(document, bundle, trust);
  const { readMbom } = await import('../../proof/bom/mbom-document.ts');
  if (outcome.verified) readMbom(document); // signed, and still no MBOM: nobody should go on with it
  return print(outcomeText(outcome, []));
}
