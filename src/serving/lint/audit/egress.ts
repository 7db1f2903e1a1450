// What the network policies beside a pod let it reach. Policies add up: one that is open opens the pod.
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
  const wide = way.to === 'anywhere' || prefixOf(way.range!) < WIDE;
  if (wide && way.ports === 'dns') return [say('egress/dns', 'DNS queries may go to any address')];
  const found = wide ? [say('egress/open', 'the pod may connect to any address')] : [];
  const blind = METADATA.some((address) => reaches(way, address));
  return blind ? [...found, say('egress/metadata', 'the metadata service can be reached')] : found;
}

/** Two halves of all addresses are all addresses. */
const WIDE = 8;
const METADATA = ['169.254.169.254', 'fd00:ec2::254'];

const prefixOf = (range: string): number => {
  const bits = Number(range.split('/')[1] ?? Number.NaN);
  return Number.isNaN(bits) ? 128 : bits;
};

const reaches = ({ to, range, except }: Way, address: string): boolean =>
  to === 'anywhere' || (contains(range!, address) && !except.some((one) => contains(one, address)));

/** Whether a CIDR holds an address; false for what is no CIDR. */
function contains(range: string, address: string): boolean {
  const [base, bits] = [bitsOf(range.split('/')[0]!), prefixOf(range)];
  const wanted = bitsOf(address);
  if (base === null || wanted === null || base.length !== wanted.length) return false;
  return base.slice(0, bits) === wanted.slice(0, bits);
}

function bitsOf(address: string): string | null {
  if (/^\d+(?:\.\d+){3}$/.test(address))
    return address
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
  if (!/^[0-9a-f:]+$/i.test(address) || !address.includes(':')) return null;
  const [head = '', tail] = address.split('::');
  const words = (text: string | undefined): string[] => (text ? text.split(':') : []);
  const zeros = tail === undefined ? 0 : 8 - words(head).length - words(tail).length;
  if (zeros < 0) return null;
  const all = [...words(head), ...Array<string>(zeros).fill('0'), ...words(tail)];
  if (all.length !== 8) return null;
  return all.map((word) => Number.parseInt(word, 16).toString(2).padStart(16, '0')).join('');
}
