// The spine of a pull: a source in, a model that was verified and scanned at its place, or nothing there.
import { basename, resolve } from 'node:path';
import { SteelyardError } from '../rules/error.ts';
import { toFinding } from '../rules/finding.ts';
import { loading } from '../runtime/loading.ts';
import { type ScanOptions, scan } from '../scan.ts';
import { assertAllowed, openSource, type Source, type SourceOptions, type Zone } from '../source/source.ts';
import { declaredBy } from './expectation/declared-mbom.ts';
import { type Declaration, expectationsOf } from './expectation/expectation.ts';
import { findingOf, isRefused, unexpected } from './expectation/refusal.ts';
import { argued, selected } from './expectation/selection.ts';
import { mismatches } from './expectation/verification.ts';
import { assertDeclared, zoneOf } from './expectation/zone.ts';
import { fetchInto, HeaderRefused } from './quarantine/fetching.ts';
import { holdsExactly, isTaken, Quarantine } from './quarantine/quarantine.ts';
import { assertLocked, lockedBy } from './receipt/lock.ts';
import { type Receipt, receiptOf, signReceipt, writeReceipt } from './receipt/receipt.ts';
import type { PullOptions, PullResult } from './result.ts';

export type { SignedMbom } from './expectation/declared-mbom.ts';
export type { PullOptions, PullResult } from './result.ts';
export { renderPull } from './text.ts';

/**
 * Pulls a model: lists and pins it, fetches it into a quarantine, scans it there, holds every digest against what was expected, and
 * moves it to its place only if nothing speaks against it.
 *
 * @throws SteelyardError USAGE, NETWORK, UNAUTHORIZED, NOT_FOUND, LIMIT, NO_SPACE, IO, ABORTED: there is no verdict.
 * @example
 * const { outcome, receipt } = await pull('hf://acme/support@3f1c…', { output: 'models/support', env: process.env });
 */
export async function pull(uri: string, options: PullOptions): Promise<PullResult> {
  const zone = zoneOf(options.policy, options.zone);
  const nothing: PullResult = {
    outcome: 'fail',
    source: uri.split('?')[0]!,
    files: [],
    expected: new Map(),
    findings: [],
    report: null,
    receipt: null,
    quarantine: null,
  };
  return refusing(nothing, async () => {
    const asking = sourceOptions(options, zone);
    if (zone !== null) assertAllowed(uri, zone, asking);
    const source = await openSource(uri, asking);
    try {
      const [listed, declared] = declarations(source, options);
      const known = { ...nothing, source: source.uri, files: listed.files };
      return await refusing(known, () => pulled(listed, declared, known, zone, options));
    } finally {
      await source.close();
    }
  });
}

function sourceOptions({ env, endpoint, http, signal }: PullOptions, zone: Zone | null): SourceOptions {
  return {
    env,
    ...(signal === undefined ? {} : { signal }),
    ...(endpoint === undefined ? {} : { endpoint }),
    http: { ...http, ...(zone === null ? {} : { redirects: zone.redirects }) },
  };
}

/** The files that are wanted, and what is said of them, from the strongest to the weakest. */
function declarations(source: Source, options: PullOptions): [Source, Declaration[]] {
  const mbom = options.mbom === undefined ? null : declaredBy(options.mbom);
  const declared = mbom === null ? source.files : source.files.filter(({ path }) => mbom.digests.has(path));
  const listed = { ...source, files: selected({ ...source, files: declared }, options) };
  if (mbom !== null) assertLocked(listed.files, mbom.files, 'the MBOM');
  if (options.lock !== undefined) assertLocked(listed.files, options.lock.files, 'the lock');
  const said = [
    ...argued(listed.files, options),
    ...(options.lock === undefined ? [] : [lockedBy(options.lock)]),
    ...(mbom === null ? [] : [mbom]),
  ];
  return [listed, said];
}

/** A listed source, judged by what can be said before a byte is fetched, and fetched if that speaks for it. */
async function pulled(
  source: Source,
  declared: readonly Declaration[],
  listed: PullResult,
  zone: Zone | null,
  options: PullOptions,
): Promise<PullResult> {
  const { maxSize = Number.POSITIVE_INFINITY } = options;
  const size = source.files.reduce((sum, file) => sum + file.size, 0);
  if (size > maxSize)
    throw new SteelyardError('LIMIT', `${source.uri} has ${size} bytes, and at most ${maxSize} were allowed`);
  const expected = new Map(source.files.map((file) => [file.path, expectationsOf(file, declared)] as const));
  if (zone !== null) assertDeclared(zone, source.files, expected, options.mbom !== undefined);
  const findings = [...source.notes.map(toFinding), ...unexpected(source, expected)];
  const result = { ...listed, expected, findings };
  if (isRefused(findings, options)) return result;
  if (options.dryRun) return { ...result, outcome: 'pass' };
  const receipt = { zone: zone?.name ?? null, policyDigest: options.policyDigest ?? null };
  if (isTaken(options.output)) return alreadyThere(source, result, receipt, options);
  return fetched(source, result, receipt, options);
}

/** What a receipt says besides what came. */
type Way = { readonly zone: string | null; readonly policyDigest: string | null };

async function fetched(
  source: Source,
  result: PullResult,
  way: Way,
  options: PullOptions,
): Promise<PullResult> {
  const quarantine = Quarantine.open(options.output);
  let [isKept, isBad] = [false, false];
  try {
    loading(import('../baseline/stages.ts')); // while bytes come, and not when the last one is there
    const followed = await fetchInto(quarantine, source, options);
    const judged = await judge(quarantine, source, result, way, { ...options, followed });
    isBad = judged.outcome === 'fail';
    isKept = judged.outcome === 'error' || (isBad && (options.keepQuarantine ?? false));
    return isKept ? { ...judged, quarantine: quarantine.model } : judged;
  } catch (error) {
    if (error instanceof HeaderRefused)
      return { ...result, outcome: 'fail', findings: [...result.findings, ...error.findings] };
    // What arrived before the network failed is not fetched again.
    isKept = !(error instanceof SteelyardError) || findingOf(error) === null;
    throw error;
  } finally {
    if (isKept) quarantine.leave(isBad);
    else quarantine.remove();
  }
}

/** Errors that are a definite no become findings; the others are thrown. */
async function refusing(result: PullResult, action: () => Promise<PullResult>): Promise<PullResult> {
  try {
    return await action();
  } catch (error) {
    const finding = error instanceof SteelyardError ? findingOf(error) : null;
    if (finding === null) throw error;
    return { ...result, outcome: 'fail', findings: [...result.findings, finding] };
  }
}

/** With what was measured while it arrived. */
type Scanned = PullOptions & Pick<ScanOptions, 'followed'>;

/** What lies in the quarantine, scanned and compared; the model is committed only here. */
async function judge(
  quarantine: Quarantine,
  source: Source,
  result: PullResult,
  way: Way,
  options: Scanned,
): Promise<PullResult> {
  const judged = await scanned(quarantine.model, result, options);
  if (judged.outcome !== 'pass') return judged;
  const receipt = receiptOf(source, judged.report!, result.expected, way);
  quarantine.commit(await documentsOf(receipt, options));
  return { ...judged, receipt };
}

/** A model that an earlier pull brought: it is what is expected, every byte of it, or it is in the way. */
async function alreadyThere(
  source: Source,
  result: PullResult,
  way: Way,
  options: PullOptions,
): Promise<PullResult> {
  const { output } = options;
  const isKnown = source.files.every(({ path }) => result.expected.get(path)!.length > 0);
  if (!isKnown || !holdsExactly(output, source.files)) throw taken(output);
  const judged = await scanned(output, result, options);
  if (judged.findings.some(({ rule }) => rule === 'source/digest')) throw taken(output);
  if (judged.outcome !== 'pass') return judged;
  const receipt = receiptOf(source, judged.report!, result.expected, way);
  const quarantine = Quarantine.open(output);
  try {
    quarantine.document(await documentsOf(receipt, options));
  } finally {
    quarantine.remove();
  }
  return { ...judged, receipt };
}

async function scanned(folder: string, result: PullResult, options: Scanned): Promise<PullResult> {
  const report = await scan(folder, { ...scanOptions(options), followSymlinks: 'never' });
  const changed = mismatches(report.files, result, folder);
  const outcome = changed.length > 0 ? 'fail' : report.verdict.outcome;
  return { ...result, outcome, findings: [...result.findings, ...changed], report };
}

function scanOptions(options: Scanned): ScanOptions {
  const { failOn, policy, today, baseline, mode, base, threads, isolate, forensics, signal, followed } =
    options;
  const given = {
    failOn,
    policy,
    today,
    baseline,
    mode,
    base,
    threads,
    isolate,
    forensics,
    signal,
    followed,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

async function documentsOf(
  receipt: Receipt,
  { output, key }: PullOptions,
): Promise<ReadonlyMap<string, string>> {
  const documents = new Map([['.pull.json', writeReceipt(receipt)]]);
  if (key !== undefined)
    documents.set('.pull.intoto.jsonl', await signReceipt(receipt, basename(resolve(output)), key));
  return documents;
}

const taken = (output: string): SteelyardError =>
  new SteelyardError(
    'USAGE',
    `${output} is there already, and a pull replaces nothing; name another folder, or move it`,
    {
      file: output,
    },
  );
