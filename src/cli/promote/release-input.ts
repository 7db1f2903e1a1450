// What every command of the gate reads: the policy from the verifier's side, and the release's folder.
import { statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { digestOf } from '../../gate/claim/piece.ts';
import { mbomIn, readEvidenceFolder, readMaybe, readPlain } from '../../gate/input/folder.ts';
import { type ReleaseBytes, readConfig } from '../../gate/input/release-bytes.ts';
import { type GatePolicy, readGatePolicy } from '../../gate/release-policy/release-policy.ts';
import { digestModel } from '../../proof/sign/files/model-digest.ts';
import { SteelyardError } from '../../rules/error.ts';
import type { Failure } from '../../rules/finding.ts';
import { realPath } from '../../runtime/folder.ts';
import { scan } from '../../scan.ts';
import { readInput } from '../option/input.ts';
import { usage } from '../option/trust-options.ts';
import type { Run } from '../run.ts';

export interface ReleaseFlags {
  readonly policy: string;
  readonly evidence?: string;
  readonly root?: string;
  readonly current?: string;
  readonly now?: string;
  readonly recheck?: string;
}

export interface ReleaseInput {
  readonly release: ReleaseBytes;
  readonly policy: GatePolicy;
  readonly now: Date;
  readonly current: string | null | undefined;
  /** Files of the model that could not be read. */
  readonly errors: readonly Failure[];
  /** The folder that paths of evidence are relative to. */
  readonly folder: string;
}

/** Reads policy and release; the model once. Throws USAGE for a policy that lies with what it judges. */
export async function readRelease(path: string, flags: ReleaseFlags, run: Run): Promise<ReleaseInput> {
  const mbomPath = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? mbomIn(path) : path;
  const folder = dirname(resolve(mbomPath));
  const evidence = flags.evidence ?? join(folder, 'evidence');
  const policy = policyOf(flags.policy, [folder, evidence]);
  const { replaces } = policy.json.approvals;
  if (replaces === 'required' && flags.current === undefined && flags.recheck === undefined)
    throw usage('the policy asks what is replaced: give --current with the release that runs now, or none');
  const mbom = readPlain(mbomPath);
  const model = await readModel(flags.root ?? join(folder, 'model'), policy, run);
  const { errors, ...read } = model;
  const release: ReleaseBytes = {
    mbom: { path: basename(mbomPath), bytes: mbom, digest: digestOf(mbom) },
    mbomSignature: readMaybe(`${mbomPath}.sigstore.json`),
    modelSignature: readMaybe(join(folder, 'model.sig')),
    config: readConfig(mbom, folder),
    evidence: readEvidenceFolder(evidence, 'evidence'),
    ...read,
  };
  return { release, policy, now: timeOf(flags.now), current: currentOf(flags.current), errors, folder };
}

export function policyOf(path: string, judged: readonly string[]): GatePolicy {
  for (const folder of judged) {
    if (isBelow(path, folder))
      throw usage(
        `the policy ${path} lies in ${folder}, which it judges: keep it where the release cannot change it`,
      );
  }
  const folder = dirname(resolve(path));
  const load = (file: string): Buffer => readInput(resolve(folder, file), 'key or certificate of the policy');
  return readGatePolicy(readInput(path, 'gate policy'), basename(path), load);
}

function isBelow(path: string, folder: string): boolean {
  const real = (one: string): string => {
    try {
      return realPath(one);
    } catch {
      return resolve(one);
    }
  };
  const inside = relative(real(folder), real(path));
  return inside !== '' && !inside.startsWith('..') && resolve(real(folder), inside) === real(path);
}

async function readModel(root: string, policy: GatePolicy, { signal, onProgress, measured }: Run) {
  const demand = policy.json.release.scan;
  if (!('rerun' in demand)) {
    const { files, tensors, errors } = await digestModel(root, {
      followSymlinks: 'never',
      signal,
      onProgress,
    });
    measured();
    return { files, tensors, errors, scan: null };
  }
  const failOn = demand.failOn === undefined ? {} : { failOn: demand.failOn };
  const report = await scan(root, { ...failOn, followSymlinks: 'never', signal, onProgress });
  measured();
  const { files, tensors, errors, verdict, complete } = report;
  // What could not be looked at is no pass.
  return {
    files,
    tensors,
    errors,
    scan: verdict.outcome === 'pass' && !complete ? ('error' as const) : verdict.outcome,
  };
}

/** Without a time zone it would be another time on each machine. */
export function timeOf(text: string | undefined): Date {
  const time =
    text === undefined ? new Date() : new Date(/T.*(Z|[+-]\d\d:\d\d)$/.test(text) ? text : Number.NaN);
  if (Number.isNaN(time.getTime())) throw usage('--now must be a time as in 2026-12-01T00:00:00Z');
  return time;
}

export function currentOf(text: string | undefined): string | null | undefined {
  if (text === undefined) return undefined;
  if (text === 'none') return null;
  if (/^sha256:[0-9a-f]{64}$/.test(text)) return text;
  throw new SteelyardError('USAGE', '--current must be the digest of a release, sha256:…, or none');
}
