// The tensors of a model against the lines of a policy.

import { quoted } from '../../document/violations.ts';
import { type Finding, toFinding } from '../../rules/finding.ts';
import type { Check } from '../../runtime/turn.ts';
import type { Profile, TensorProfile } from '../../scan/profile/profile.ts';
import { Dimensions } from './document/shape.ts';
import { type Match, matchTensors } from './pattern/match.ts';
import { PatternTrie } from './pattern/trie.ts';
import type { Policy, TensorLine } from './policy.ts';

export function checkTensors(policy: Policy, profile: Profile, check: Check): Finding[] {
  const matching = matchTensors(policy, profile);
  check();
  const dimensions = new Dimensions(policy.dimensions);
  for (const { line, tensors } of matching.matches)
    if (line.shape !== null) for (const { shape, name } of tensors) dimensions.learn(line.shape, shape, name);
  return [
    ...forbidden(policy, profile),
    ...(policy.unmatched === 'allow' ? [] : matching.unmatched.map(unexpected)),
    ...(policy.dtypes === null ? [] : profile.tensors.flatMap((one) => dtypeOf(one, policy.dtypes!, null))),
    ...matching.matches.flatMap((match) => {
      check();
      return checkMatch(match, dimensions);
    }),
  ];
}

function checkMatch(match: Match, dimensions: Dimensions): Finding[] {
  const { line, tensors } = match;
  const found = tensors.flatMap((tensor) => [
    ...(line.dtypes === null ? [] : dtypeOf(tensor, line.dtypes, line)),
    ...shapeOf(tensor, line, dimensions),
  ]);
  return [...found, ...countOf(match)];
}

const place = ({ file, name }: TensorProfile) => ({ file, tensor: name });
const typed = ({ dtype, shape }: TensorProfile): string => `${dtype} [${shape.join(', ')}]`;

function forbidden({ forbidden: patterns }: Policy, { tensors }: Profile): Finding[] {
  if (patterns.length === 0) return [];
  const trie = new PatternTrie(patterns);
  return tensors.flatMap((tensor) => {
    const [first] = trie.match(tensor.name);
    if (first === undefined) return [];
    const message = `${typed(tensor)} matches ${quoted(patterns[first]!.text)}`;
    return [toFinding({ rule: 'policy/tensor-forbidden', ...place(tensor), message })];
  });
}

const unexpected = (tensor: TensorProfile): Finding =>
  toFinding({
    rule: 'policy/tensor-unexpected',
    ...place(tensor),
    message: `${typed(tensor)} is not described by any line`,
  });

function dtypeOf(tensor: TensorProfile, allowed: ReadonlySet<string>, line: TensorLine | null): Finding[] {
  if (allowed.has(tensor.dtype)) return [];
  const message = line === null ? 'no tensor may have this dtype' : `line ${line.line} wants another dtype`;
  const expected = [...allowed].join(', ');
  return [
    toFinding({ rule: 'policy/dtype', ...place(tensor), message, expected, actual: quoted(tensor.dtype) }),
  ];
}

function shapeOf(tensor: TensorProfile, line: TensorLine, dimensions: Dimensions): Finding[] {
  const wrong = line.shape === null ? null : dimensions.check(line.shape, tensor.shape);
  if (wrong === null) return [];
  const source = wrong.from === null ? '' : `, as in ${quoted(wrong.from)}`;
  const message = `line ${line.line} wants another shape${source}`;
  const actual = `[${tensor.shape.join(', ')}]`;
  return [toFinding({ rule: 'policy/shape', ...place(tensor), message, expected: wrong.expected, actual })];
}

function countOf({ line, tensors, names, missing, span }: Match): Finding[] {
  const file = tensors[0]?.file ?? '';
  const pattern = quoted(line.pattern.text);
  if (line.count !== null) {
    const [least, most] = line.count;
    if (names >= least && names <= most) return [];
    const message = `line ${line.line}, ${pattern}, matches ${names} tensors`;
    const expected = least === most ? String(least) : `${least} to ${most}`;
    return [toFinding({ rule: 'policy/count', file, message, expected, actual: String(names) })];
  }
  if (missing.length === 0 || (line.optional && names === 0)) return [];
  const all = span === null ? '' : `${span - names} of ${span} `;
  const message = `line ${line.line}, ${pattern}: ${all}missing, such as ${missing.map(quoted).join(', ')}`;
  return [toFinding({ rule: 'policy/tensor-missing', file, tensor: missing[0]!, message })];
}
