// The scan of the model, as its attestation says, or as it was made just now. One that failed refuses, however many passed.
import type { Claim } from '../claim/proven-claim.ts';
import { milliseconds } from '../release-policy/release-policy.ts';
import { deny } from '../verdict/denial.ts';
import { boundTo, type Context, type ControlResult, collect, evidenceOf } from './context.ts';

const VERIFIER = 'urn:steelyard:scan:v1';
const PASSED = 'STEELYARD_SCAN_PASSED';

interface Scan {
  readonly time: number | null;
  readonly passed: boolean;
}

export function scan(context: Context, rerun: 'pass' | 'fail' | 'error' | null): ControlResult {
  const demand = context.policy.json.release.scan;
  const nothing = { evidence: [], unused: [], limits: [] };
  if ('rerun' in demand) {
    if (rerun === 'pass') return { ...nothing, denials: [] };
    const message =
      rerun === 'fail' ? 'the scan failed; see steelyard scan' : 'the model was not scanned to the end';
    return { ...nothing, denials: [{ code: rerun === 'fail' ? 'FAILED_SCAN' : 'NO_EVIDENCE', message }] };
  }
  const { counted, denials, unused, limits } = collect<Scan>(context, {
    signedBy: demand.signedBy,
    count: 1,
    maxAge: milliseconds(demand.maxAge),
    kinds: ['vsa', 'svr'],
    wants: (claim) => isScan(claim),
    read: (claim) => readScan(claim, demand.policy, context.mbom.model.digest),
    same: ({ claim }) => claim.by,
  });
  const failed = counted
    .filter(({ value }) => !value.passed)
    .map(
      ({ claim }) => ({ code: 'FAILED_SCAN', file: claim.source.file, message: 'the scan failed' }) as const,
    );
  return { evidence: counted.map(evidenceOf), denials: [...denials, ...failed], unused, limits };
}

/** A summary of another verifier says nothing of a scan. */
const isScan = ({ kind, body }: Claim): boolean =>
  (kind === 'vsa' || kind === 'svr') &&
  body.isObject &&
  body.get('verifier').isObject &&
  body.get('verifier').get('id').value === VERIFIER;

function readScan(claim: Claim, policy: string | undefined, root: string): Scan {
  if (claim.subjects !== null && !claim.subjects.includes(root))
    deny('ROOT_MISMATCH', 'the scan is of another model', { expected: root, actual: claim.subjects[0]! });
  boundTo(claim, root);
  const { body } = claim;
  const own = claim.kind === 'vsa' ? body.get('policy') : body.get('verifier').get('policies').list()[0];
  assertPolicy(own, policy);
  if (claim.kind === 'svr') {
    const properties = body
      .get('properties')
      .list()
      .map((one) => one.text());
    return { time: body.get('timeCreated').time(), passed: properties.includes(PASSED) };
  }
  const result = body.get('verificationResult').text();
  if (result !== 'PASSED' && result !== 'FAILED')
    body.get('verificationResult').wrong('must be PASSED or FAILED');
  return { time: body.get('timeVerified').time(), passed: result === 'PASSED' };
}

function assertPolicy(own: Claim['body'] | undefined, wanted: string | undefined): void {
  if (wanted === undefined) return;
  const digest =
    own === undefined || own.absent || own.get('digest').absent
      ? null
      : own.get('digest').get('sha256').hex();
  if (`sha256:${digest}` === wanted) return;
  deny('EVIDENCE_FOR_OTHER', 'the scan was judged by another policy', {
    expected: wanted,
    actual: digest === null ? 'none' : `sha256:${digest}`,
  });
}
