// What the network policies beside a pod let it reach. Policies add up: one that is open opens the pod.

import { contains, isWide, METADATA } from '../../network/network.ts';
import type { NetworkPolicy, Way } from '../form/form.ts';
import { type Broken, type Check, objectOf } from './broken.ts';

export const checkEgress: Check = (workload, { policies }) => {
  if (workload.format !== 'kubernetes') return [];
  const object = objectOf(workload);
  const selected = policies.filter((policy) => policy.selects(workload));
  if (selected.length === 0)
    return [
      {
        rule: 'egress/none',
        at: workload.at,
        object,
        message: 'no policy with egress among the files selects this pod',
      },
    ];
  return selected.flatMap((policy) => policy.ways.flatMap((way) => wayFindings(way, policy, object)));
};

function wayFindings(way: Way, { name }: NetworkPolicy, object: string): Broken[] {
  const say = (rule: Broken['rule'], message: string): Broken => ({
    rule,
    at: way.at,
    object,
    message: `${message}, by the policy ${name}`,
    ...(way.range === null ? {} : { actual: way.range }),
  });
  if (way.to === 'named') return [];
  const wide = way.to === 'anywhere' || isWide(way.range!);
  if (wide && way.ports === 'dns') return [say('egress/dns', 'DNS queries may go to any address')];
  const found = wide ? [say('egress/open', 'the pod may connect to any address')] : [];
  const blind = METADATA.some((address) => reaches(way, address));
  return blind ? [...found, say('egress/metadata', 'the metadata service can be reached')] : found;
}

const reaches = ({ to, range, except }: Way, address: string): boolean =>
  to === 'anywhere' || (contains(range!, address) && !except.some((one) => contains(one, address)));
