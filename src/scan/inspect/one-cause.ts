// One cause, one finding: a file that is cut off breaks a rule at each of its tensors, and a page of them hides what else there is. The first
// place stays, with how many there are. Findings that somebody can accept tensor by tensor stay as they are.
import { quoted } from '../../document/violations.ts';
import type { Finding } from '../../rules/finding.ts';

/** Of structure: no one of them is less wrong than the others. */
const STRUCTURE = /^(header|tensor|data|gguf|name|shard|metadata)\//;
const MOST = 10;
const NAMED = 3;
const REST = /^and (\d+) more places$/;

/** In the order of the first of each. */
export function oneCause(findings: readonly Finding[]): Finding[] {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    if (!STRUCTURE.test(finding.rule)) continue;
    const key = `${finding.rule} ${finding.severity} ${finding.file}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [finding]);
    else group.push(finding);
  }
  const merged = new Map<Finding, Finding | null>();
  for (const group of groups.values()) {
    if (group.length <= MOST && !isCut(group)) continue;
    const [first, ...others] = group;
    merged.set(first!, told(first!, others));
    for (const other of others) merged.set(other, null);
  }
  return findings.flatMap((finding) => {
    const one = merged.get(finding);
    return one === undefined ? [finding] : one === null ? [] : [one];
  });
}

const isCut = (group: readonly Finding[]): boolean =>
  group[0]!.rule === 'tensor/out-of-bounds' && group.length > NAMED;

function told(first: Finding, others: readonly Finding[]): Finding {
  const more = others.reduce((sum, { message }) => sum + Number(REST.exec(message)?.[1] ?? 1), 0);
  const names = others.flatMap(({ tensor }) => (tensor === undefined ? [] : [quoted(tensor)]));
  const such = names.length === 0 ? '' : `, such as ${names.slice(0, NAMED).join(', ')}`;
  if (first.rule !== 'tensor/out-of-bounds')
    return { ...first, message: `${first.message}; and ${more} more places${such}` };
  const need = Math.max(...[first, ...others].map(({ actual }) => Number(actual ?? 0)));
  const missing = need - Number(/\d+/.exec(first.expected ?? '')?.[0] ?? need);
  return {
    ...first,
    message: `the file ends before ${more + 1} of its tensors do, ${quoted(first.tensor ?? '')} the first of them; at least ${missing} bytes are missing`,
    actual: String(need),
  };
}
