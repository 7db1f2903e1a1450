// Rules of judging a model by a policy: what its owner says the model must be.
import { ATLAS_MANIPULATED_MODEL, type Rule, SUPPLY_CHAIN } from '../rule.ts';

const REVIEW = 'inspect the difference; if it is intended, change the policy in a reviewed commit';

export const POLICY = {
  'policy/unexamined': {
    severity: 'critical',
    title: 'a file that can run or hold weights was not examined',
    hint: 'delete it, or accept exactly these bytes: list the digest under accept in the policy, or give --accept sha256:…',
    why: 'A signature or an attestation over a file that was only hashed vouches for what nobody has seen.',
    references: [SUPPLY_CHAIN],
  },
  'policy/tensor-missing': {
    severity: 'high',
    title: 'a tensor that the policy asks for is missing',
    hint: REVIEW,
    why: 'Loaders fill what is missing with noise, often with no more than a warning.',
  },
  'policy/tensor-unexpected': {
    severity: 'high',
    title: 'no line of the policy matches a tensor',
    hint: REVIEW,
    why: 'A tensor that the architecture does not have is read by custom code, or by nobody and carries something.',
    references: [ATLAS_MANIPULATED_MODEL],
  },
  'policy/tensor-forbidden': {
    severity: 'critical',
    title: 'a tensor has a name that the policy forbids',
    hint: 'do not load the model',
    why: 'The owner of the policy has said that no model of theirs has such a tensor.',
  },
  'policy/dtype': {
    severity: 'high',
    title: 'a tensor has a dtype that the policy does not allow',
    hint: REVIEW,
    why: 'Another dtype means that the tensor was written by another program than the rest.',
  },
  'policy/shape': {
    severity: 'high',
    title: 'a tensor has a shape that the policy does not allow, or that contradicts the other tensors',
    hint: REVIEW,
    why: 'The dimensions of a network agree with each other; a tensor that disagrees was not part of it.',
  },
  'policy/count': {
    severity: 'high',
    title: 'a line of the policy matches more or fewer tensors than it allows',
    hint: REVIEW,
    why: 'A layer more or less is another architecture.',
  },
  'policy/metadata': {
    severity: 'high',
    title: 'metadata that the policy does not allow',
    hint: REVIEW,
    why: 'Metadata decides how weights are used, and has room for anything.',
  },
  'policy/template': {
    severity: 'high',
    title: 'a chat template that the policy does not know',
    hint: 'read the template, then add its digest to the policy',
    why: 'A template runs on every conversation and can put words into it.',
    references: [SUPPLY_CHAIN],
  },
  'policy/file': {
    severity: 'high',
    title: 'a file that the policy does not allow',
    hint: 'remove the file, or allow its path in the policy',
    why: 'Code beside weights runs where the model is loaded.',
    references: [SUPPLY_CHAIN],
  },
  'policy/limit': {
    severity: 'high',
    title: 'the model is larger than the policy allows',
    hint: REVIEW,
    why: 'Limits keep a hostile upload from filling memory and disks.',
  },
  'policy/waiver-expired': {
    severity: 'medium',
    title: 'a waiver has expired: what it accepted counts again',
    hint: 'ask its owner to fix the cause, or to renew the waiver with a new reason',
    why: 'An exception that nobody looks at again becomes the rule.',
  },
  'policy/waiver-unused': {
    severity: 'low',
    title: 'a waiver accepts something that is not there',
    hint: 'remove it from the policy',
    why: 'It would accept the same finding on the same bytes should they come back.',
  },
} as const satisfies Record<string, Rule>;
