// Files beside the weights, and weight files as files.
import { quoted } from '../../document/violations.ts';
import type { FileProfile, Profile, TemplateProfile } from '../../scan/profile/profile.ts';
import type { Departure } from './departure.ts';
import type { CompareRule, Mode } from './mode.ts';

/** What other findings say already. */
interface Explained {
  /** Weight files with changed tensors or metadata. */
  readonly files: ReadonlySet<string>;
  /** Tensors came, went or moved, so that no shard index can be as it was. */
  readonly indexes: boolean;
}

export function compareFiles(
  profile: Profile,
  baseline: Profile,
  mode: Mode,
  explained: Explained,
): Departure[] {
  const suspect = new Map(profile.files.map((file) => [file.path, file]));
  const good = new Map(baseline.files.map((file) => [file.path, file]));
  const known = new Set(baseline.files.flatMap(({ templates }) => templates.map(templateKey)));
  const found: Departure[] = [];
  for (const file of baseline.files) {
    if (suspect.has(file.path)) continue;
    // Another container for the same tensors: they tell, not their files.
    if (mode !== 'exact' && (isIndex(file) || file.tensorCount > 0)) continue;
    const expected = file.sha256;
    found.push({ rule: 'compare/file-missing', file: file.path, message: 'the file is missing', expected });
  }
  for (const file of profile.files) {
    const before = good.get(file.path);
    if (before?.sha256 === file.sha256) continue;
    if (before !== undefined && (explained.files.has(file.path) || (isIndex(file) && explained.indexes)))
      continue;
    const digests = { ...(before === undefined ? {} : { expected: before.sha256 }), actual: file.sha256 };
    const rule = ruleOf(file);
    found.push({ rule, file: file.path, message: told(file, before), ...digests });
    if (rule !== 'compare/template-changed') found.push(...templates(file, before, known));
  }
  return found;
}

const templateKey = ({ name, digest }: TemplateProfile): string => `${digest} ${name}`;

// A document with a template in it changes for many reasons (tokenizer_config.json); that the template changed is one to tell.
// Weight files keep theirs in the metadata, which is compared key by key.
function templates(
  { path, format, templates: suspect }: FileProfile,
  before: FileProfile | undefined,
  known: ReadonlySet<string>,
): Departure[] {
  if (format !== null) return [];
  const here = new Set(suspect.map(({ name }) => name));
  const changed = suspect
    .filter((template) => !known.has(templateKey(template)))
    .map(({ name, digest }) => ({
      message: `the template ${quoted(name)} is not in the baseline`,
      actual: digest,
    }));
  const gone = (before?.templates ?? [])
    .filter(({ name }) => !here.has(name))
    .map(({ name, digest }) => ({ message: `the template ${quoted(name)} is gone`, expected: digest }));
  return [...changed, ...gone].map((one) => ({ rule: 'compare/template-changed', file: path, ...one }));
}

function told(file: FileProfile, before: FileProfile | undefined): string {
  if (before === undefined) return 'the baseline does not have this file';
  const grown = file.size - before.size;
  const size =
    grown === 0
      ? 'its size is the same'
      : `it is ${Math.abs(grown)} bytes ${grown > 0 ? 'longer' : 'shorter'}`;
  const header =
    file.headerSize === before.headerSize || file.headerSize === null ? '' : ', its header has another size';
  return `the file differs, ${size}${header}`;
}

function ruleOf(file: FileProfile): CompareRule {
  if (isIndex(file) || file.format !== null) return 'compare/weights-repacked';
  return KINDS.find(([, pattern]) => pattern.test(file.path))?.[0] ?? 'compare/file-changed';
}

const isIndex = ({ path }: FileProfile): boolean => /\.index(\.[^./]+)?\.json$/i.test(path);

// Patterns of our own on paths of at most a few thousand characters; none of them can backtrack.
const KINDS: readonly (readonly [CompareRule, RegExp])[] = [
  ['compare/template-changed', /(^|\/)chat_template[^/]*$|\.jinja2?$/i],
  [
    'compare/code-changed',
    /\.(py|pyc|pyx|so|dll|dylib|exe|sh|bash|bat|cmd|ps1|js|mjs|cjs|wasm|jar|lua|rb|pl|ipynb|pkl|pickle|pt|pth|bin|ckpt|joblib|dill|npy|npz|h5|keras|onnx|msgpack|zip|tar|gz|whl)$/i,
  ],
  [
    'compare/tokenizer-changed',
    /(^|\/)(tokenizer[^/]*|vocab[^/]*|merges\.txt|added_tokens\.json|special_tokens_map\.json|spiece\.model|[^/]*\.tiktoken)$/i,
  ],
  ['compare/config-changed', /\.(json|ya?ml|toml|ini|cfg)$/i],
];
