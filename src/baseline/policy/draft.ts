// A profile → the policy that it keeps: a beginning for whoever writes one. Readable YAML, every line with a reason.
import { escapedGlob } from '../../document/text/glob.ts';
import { quoted } from '../../document/violations.ts';
import type { MetadataProfile, Profile } from '../../scan/profile/profile.ts';
import { compress, isExpressible, type Line } from './document/compression.ts';
import { POLICY_SCHEMA } from './document/policy-schema.ts';

/** The text of a policy document that the model of the profile passes and that names everything it has. */
export function draftPolicy(profile: Profile): string {
  const { files, tensors } = profile;
  const lines = compress(tensors);
  const dimensions = dimensionsOf(profile);
  const odd = tensors.filter(({ name }) => !isExpressible(name));
  return inertYaml(
    [
      '# What this model must be. Drafted by steelyard policy init; read it, loosen what may change, commit it.',
      `schema: ${POLICY_SCHEMA}`,
      '',
      '# Exit with 1 from this severity on: info, low, medium, high, critical.',
      'failOn: high',
      '',
      ...section(
        'Dtypes that any tensor may have.',
        `dtypes: [${unique(tensors.map(({ dtype }) => dtype)).join(', ')}]`,
        lines.length > 0,
      ),
      ...section(
        'Sizes by name: every shape below must agree with them.',
        `dimensions: { ${[...dimensions].map(([size, name]) => `${name}: ${size}`).join(', ')} }`,
        dimensions.size > 0,
      ),
      ...(lines.length === 0
        ? []
        : ['# {0..31}: every index; {q,k}: every word. All that a line spans must be there.']),
      ...(lines.length === 0 ? [] : ['tensors:', ...lines.map((line) => tensorLine(line, dimensions))]),
      ...odd.map(({ name }) => `  # not to be written as a pattern: ${quoted(name)}`),
      ...(lines.length === 0 ? [] : ['unmatched: forbid', '']),
      ...metadataLines(profile),
      '# Digests of chat templates; a template runs on every conversation.',
      ...listed('templates', unique(files.flatMap(({ templates }) => templates.map(({ digest }) => digest)))),
      '',
      '# Every file beside the weights is listed, because code there runs where the model is loaded. * and ** are allowed;',
      '# a backslash takes their meaning away.',
      ...listed(
        'files',
        files.map(({ path }) => scalar(escapedGlob(path))),
      ),
      '',
      'limits:',
      `  files: ${files.length}`,
      `  tensors: ${tensors.length}`,
      '',
      '# Accepts a finding for certain bytes until a day:',
      '# waivers:',
      '#   - rule: stats/nan',
      '#     subject: sha256:… of the tensor',
      '#     tensor: model.norm.weight',
      '#     dtype: BF16',
      '#     shape: [4096]',
      '#     reason: why this is fine',
      '#     owner: who says so',
      '#     expires: 2027-01-31',
      '# or, for all that the rule says of one file, subject: sha256:… of the file, and file: its path.',
      '',
    ].join('\n'),
  );
}

/** Characters that a terminal obeys or nobody sees stand in quoted text only, where YAML takes escapes. */
const inertYaml = (text: string): string =>
  text.replace(HARMFUL, (c) => `\\U${c.codePointAt(0)!.toString(16).padStart(8, '0')}`);
const HARMFUL = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{DI}]/gu;

const unique = (values: readonly string[]): string[] => [...new Set(values)].sort();

const section = (comment: string, line: string, wanted: boolean): string[] =>
  wanted ? [`# ${comment}`, line, ''] : [];

const listed = (name: string, items: readonly string[]): string[] =>
  items.length === 0 ? [`${name}: []`] : [`${name}:`, ...items.map((item) => `  - ${item}`)];

/** Plain where YAML reads it as the same text, else quoted. */
const scalar = (text: string): string =>
  /^[A-Za-z_][\w./{},-]*$/.test(text) && !/^(true|false|null|y|n|yes|no|on|off)$/i.test(text)
    ? text
    : JSON.stringify(text);

function tensorLine(
  { segments, dtype, shape, count }: Line,
  dimensions: ReadonlyMap<number, string>,
): string {
  const sizes = shape.map((size) => dimensions.get(size) ?? String(size)).join(', ');
  const key = scalar(segments.join('.'));
  return `  ${key}: { dtype: ${scalar(dtype)}, shape: [${sizes}] } # ${count}`;
}

/** The sizes of the token embedding are the two that a reader knows by name. */
function dimensionsOf({ tensors }: Profile): Map<number, string> {
  const embedding = tensors.find(
    ({ name, shape }) =>
      shape.length === 2 && /(^|\.)(embed_tokens|wte|word_embeddings|token_embd)\.weight$/.test(name),
  );
  const [vocabulary, hidden] = embedding?.shape ?? [];
  if (vocabulary === undefined || hidden === undefined || vocabulary === hidden) return new Map();
  return new Map([
    [vocabulary, 'vocabulary'],
    [hidden, 'hidden'],
  ]);
}

function metadataLines({ files }: Profile): string[] {
  const values = new Map<string, Set<string>>();
  for (const { key, value, digest } of files.flatMap(({ metadata }) => metadata)) {
    const known = values.get(key) ?? new Set<string>();
    values.set(key, known.add(digest === undefined ? plainValue(value) : `{ digest: ${digest} }`));
  }
  if (values.size === 0) return ['# No file has metadata.', 'metadata: {}', ''];
  const lines = [...values].map(([key, known]) => `  ${scalar(key)}: ${inline([...known])}`);
  return [
    "# Keys of headers and their values; '*' allows any value, and key* any key that begins so.",
    'metadata:',
    ...lines,
    '',
  ];
}

/** A text that is spelled like a digest, or like the word for any value, is said to be a text. */
const plainValue = (value: MetadataProfile['value']): string =>
  typeof value === 'string' && (value === '*' || /^sha256:[0-9a-f]{64}$/.test(value))
    ? `{ value: ${JSON.stringify(value)} }`
    : JSON.stringify(value);

const inline = (values: readonly string[]): string =>
  values.length === 1 ? values[0]! : `[${values.join(', ')}]`;
