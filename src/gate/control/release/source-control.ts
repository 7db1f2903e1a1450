// The control `source`: a signed receipt says that the model came from a source of this zone. A receipt that nobody who is listed signed is
// a note that anybody could have written.

import type { Claim } from '../../claim/proven-claim.ts';
import type { ControlOf } from '../../release-policy/schema.ts';
import { type Denial, deny } from '../../verdict/denial.ts';
import { boundTo, type Context, type ControlResult, collect, evidenceOf } from '../context.ts';

type Control = ControlOf<'source'>;

interface Read {
  readonly time: null;
}

export function source(control: Control, context: Context): ControlResult {
  const { counted, denials, unused, limits } = collect<Read>(context, {
    signedBy: control.signedBy,
    count: control.count,
    maxAge: null,
    kinds: ['receipt'],
    wants: ({ kind }) => kind === 'receipt',
    read: (claim) => readReceipt(claim, control, context),
    same: ({ claim }) => claim.by,
  });
  return { evidence: counted.map(evidenceOf), denials: denials.map(named), unused, limits };
}

const named = (denial: Denial): Denial =>
  denial.code === 'NO_EVIDENCE' || denial.code === 'EVIDENCE_UNTRUSTED'
    ? { ...denial, code: 'UNTRUSTED_SOURCE', message: `no signed receipt counts: ${denial.message}` }
    : denial;

function readReceipt(claim: Claim, { zone, policy }: Control, { mbom }: Context): Read {
  boundTo(claim, mbom.model.digest);
  const { body } = claim;
  const schema = body.get('schema');
  if (schema.text() !== 'steelyard/pull/1') schema.wrong('must be steelyard/pull/1');
  const model = body.get('model').digest();
  if (model !== mbom.model.digest)
    deny('EVIDENCE_CONTRADICTORY', 'the receipt is about another model than its statement', {
      actual: model,
    });
  const actual = body.get('zone').maybeText();
  if (actual !== zone)
    deny('UNTRUSTED_SOURCE', 'the model was not pulled for this zone', {
      expected: zone,
      actual: actual ?? 'none',
    });
  const under = body.get('policy').maybeText();
  if (policy !== undefined && under !== policy)
    deny('UNTRUSTED_SOURCE', 'the model was pulled under another policy', {
      expected: policy,
      actual: under ?? 'none',
    });
  return { time: null };
}
