// Text → policy, or INVALID_POLICY with line and column. A policy that is misread lets through what its owner forbade, so
// nothing in it is skipped.
import type * as Zod from 'zod';
import { didYouMean } from '../../../document/text/suggestion.ts';
import { quoted } from '../../../document/violations.ts';
import { readYaml, type Yaml } from '../../../document/yaml.ts';
import { SteelyardError } from '../../../rules/error.ts';
import { isOfManifests, RULES, type RuleId } from '../../../rules/rules.ts';
import { dtypeByName } from '../../../scan/dtype.ts';
import { parsePattern } from '../pattern/pattern.ts';
import { PatternTrie } from '../pattern/trie.ts';
import type { MetadataLine, Policy, TensorLine, Waiver } from '../policy.ts';
import { fieldsAt, type PolicyDocument, policySchemas } from './policy-schema.ts';
import { parseDimension } from './shape.ts';
import { zonesOf } from './zones.ts';

/**
 * Reads a policy document, YAML or JSON.
 *
 * @param name What messages call it, such as the path of its file.
 * @throws SteelyardError INVALID_POLICY: `policy.yaml:6:10: tensors.….dtype: …`, with a suggestion where a word is misspelt.
 */
export function parsePolicy(text: string, name = 'policy'): Policy {
  const source = readSource(text, name);
  const parsed = policySchemas().PolicySchema.safeParse(source.data);
  if (!parsed.success) throw invalid(source, parsed.error.issues[0]!);
  return compiled(parsed.data, source);
}

interface Source extends Yaml {
  /** An error at a place; `key`: at the key of that name instead of the value. */
  error(path: readonly PropertyKey[], reason: string, key?: string): SteelyardError;
}

const SIZE = 4 * 2 ** 20;

function readSource(text: string, name: string): Source {
  const failure = (place: string | null, reason: string, cause?: unknown): SteelyardError =>
    new SteelyardError('INVALID_POLICY', `${place === null ? name : `${name}:${place}`}: ${reason}`, {
      cause,
    });
  const yaml = readYaml(text, { size: SIZE, scalars: 'typed', failure });
  return { ...yaml, error: (path, reason, key) => failure(yaml.placeOf(path, key), reason) };
}

function compiled(document: PolicyDocument, source: Source): Policy {
  const { tensors = {}, forbidden = [], metadata, severity = {}, waivers = [] } = document;
  const lineOf = source.linesOf('tensors');
  const lines = Object.entries(tensors).map(([text, line]) =>
    tensorLine(text, line ?? {}, lineOf.get(text) ?? 0, source),
  );
  const waiverLines = source.linesOf('waivers');
  const policy: Policy = {
    name: document.name ?? null,
    failOn: document.failOn ?? null,
    dtypes: document.dtypes === undefined ? null : dtypes(document.dtypes, ['dtypes'], source),
    dimensions: new Map(Object.entries(document.dimensions ?? {})),
    tensors: lines,
    unmatched: document.unmatched ?? (document.tensors === undefined ? 'allow' : 'forbid'),
    forbidden: forbidden.map((text, i) => attempt(source, ['forbidden', i], () => parsePattern(text))),
    metadata:
      metadata === undefined ? null : Object.entries(metadata).map((line) => metadataLine(line, source)),
    templates: document.templates === undefined ? null : new Set(document.templates),
    files: document.files ?? null,
    unexamined: document.unexamined ?? (document.accept === undefined ? null : 'listed'),
    accept: new Set(document.accept),
    limits: document.limits ?? {},
    severity: new Map(
      Object.entries(severity).map(([rule, one]) => [knownRule(rule, ['severity'], source, rule), one]),
    ),
    waivers: waivers.map((waiver, i) => ({
      ...boundWaiver(waiver, ['waivers', i], source),
      line: waiverLines.get(i) ?? 0,
    })),
    sources: zonesOf(document.sources ?? {}, (path, reason) => source.error(path, reason)),
  };
  attempt(source, ['tensors'], () => new PatternTrie(lines.map(({ pattern }) => pattern)));
  attempt(source, ['forbidden'], () => new PatternTrie(policy.forbidden));
  return policy;
}

type LineDocument = NonNullable<NonNullable<PolicyDocument['tensors']>[string]>;

function tensorLine(
  text: string,
  { dtype, shape, count, optional }: LineDocument,
  line: number,
  source: Source,
): TensorLine {
  const path = ['tensors', text];
  const pattern = attempt(source, ['tensors'], () => parsePattern(text), text);
  const range = typeof count === 'number' ? ([count, count] as const) : (count ?? null);
  if (range !== null && range[0] > range[1])
    throw source.error([...path, 'count'], 'the first number is the smaller one');
  return {
    pattern,
    line,
    dtypes: dtype === undefined ? null : dtypes([dtype].flat(), [...path, 'dtype'], source),
    shape:
      shape?.map((size, axis) => attempt(source, [...path, 'shape', axis], () => parseDimension(size))) ??
      null,
    count: range,
    optional: optional ?? false,
  };
}

function dtypes(names: readonly string[], path: readonly PropertyKey[], source: Source): Set<string> {
  const unknown = names.find((name) => dtypeByName(name) === undefined);
  if (unknown === undefined) return new Set(names);
  throw source.error(path, `${quoted(unknown)} is no dtype${didYouMean(unknown, KNOWN_DTYPES)}`);
}

const KNOWN_DTYPES = [
  'BF16',
  'F16',
  'F32',
  'F64',
  'F8_E4M3',
  'F8_E5M2',
  'I8',
  'U8',
  'I32',
  'I64',
  'BOOL',
  'Q8_0',
];

function metadataLine([key, value]: [string, MetadataValues], source: Source): MetadataLine {
  const list = [value].flat();
  const pins = list.filter((one) => typeof one === 'object');
  const digests = pins.flatMap((pin) => ('digest' in pin ? [pin.digest] : []));
  const exact = pins.flatMap((pin) => ('value' in pin ? [pin.value] : []));
  const texts = list.filter((one) => typeof one !== 'object').map(String);
  // Whoever meant the digest of a long value would accept a value that is spelled like it.
  if (texts.some((text) => /^sha256:[0-9a-f]{64}$/.test(text)))
    throw source.error(['metadata', key], 'write { digest: sha256:… } or { value: "sha256:…" }', key);
  const values = texts.includes('*') ? null : new Set([...texts, ...exact]);
  return { key, values, digests: new Set(digests) };
}

type MetadataValues = NonNullable<PolicyDocument['metadata']>[string];
type WaiverDocument = NonNullable<PolicyDocument['waivers']>[number];

/** SHA-256 of no bytes: every tensor without elements has it. */
const NOTHING = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** A waiver by digest alone would hold for the same bytes under every name, in every shape. */
function boundWaiver(
  { rule, subject, file, tensor, dtype, shape, reason, owner, expires }: WaiverDocument,
  path: readonly PropertyKey[],
  source: Source,
): Omit<Waiver, 'line'> {
  const known = knownRule(rule, [...path, 'rule'], source);
  const about = { rule: known, subject, reason, owner, expires };
  if (tensor === undefined) {
    if (dtype !== undefined || shape !== undefined)
      throw source.error(path, 'dtype and shape are of a tensor: name it');
    if (file === undefined && !isOfManifests(known))
      throw source.error(path, 'a waiver names what it is for: file, or tensor with its dtype and shape');
    return { ...about, file: file ?? null, tensor: null };
  }
  if (dtype === undefined || shape === undefined)
    throw source.error(path, 'a waiver for a tensor names its dtype and its shape too');
  const pattern = attempt(source, [...path, 'tensor'], () => parsePattern(tensor));
  if (subject === NOTHING && pattern.span !== 1)
    throw source.error(
      [...path, 'tensor'],
      'all tensors without elements have this digest: name one of them',
    );
  return { ...about, file: file ?? null, tensor: { pattern, dtype, shape } };
}

function knownRule(rule: string, path: readonly PropertyKey[], source: Source, key?: string): RuleId {
  if (RULES.has(rule as RuleId)) return rule as RuleId;
  throw source.error(path, `there is no rule ${quoted(rule)}${didYouMean(rule, RULES.keys())}`, key);
}

/** What a parser says of a text becomes an error at its place. */
function attempt<T>(source: Source, path: readonly PropertyKey[], parse: () => T, key?: string): T {
  try {
    return parse();
  } catch (error) {
    throw source.error(
      path,
      `${key === undefined ? '' : `${quoted(key)}: `}${(error as Error).message}`,
      key,
    );
  }
}

function invalid(source: Source, issue: Zod.core.$ZodIssue): SteelyardError {
  const where = issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `;
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    const reason = `${where}unknown field ${quoted(key)}${didYouMean(key, fieldsAt(issue.path))}`;
    return source.error(issue.path, reason, key);
  }
  return source.error(issue.path, `${where}${issue.message}`);
}
