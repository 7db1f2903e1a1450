// Where a model keeps its chat templates: metadata of weight files, and documents beside them. Loaders look in all these
// places, each in its own order, so none may go unseen. Pure; nothing is parsed but the JSON around a template.
import { createHash } from 'node:crypto';
import type { RuleId } from '../../../rules/rules.ts';
import type { MeasuredFile } from '../../measure/measured.ts';
import { isTemplateDocument, mayHoldTemplate } from '../../model/companion.ts';
import { type Problem, readTemplateDocument } from './companion-templates.ts';
import type { Template } from './template.ts';

export interface FileTemplates {
  readonly templates: readonly Template[];
  /** What is wrong with where they stand. */
  readonly problems: readonly Problem[];
  /** Of a tokenizer_config.json: it lists its added tokens, so that transformers reads no other file for them. */
  readonly listsTokens?: boolean;
  /** Of a tokenizer_config.json: it names a module of mlx-lm that takes the place of every template. */
  readonly hasModule?: boolean;
  /** The names that a GGUF announces; null: it does not. */
  readonly announced: readonly string[] | null;
}

export function templatesOf(file: MeasuredFile): FileTemplates {
  if (file.layout !== null) return inMetadata(file.layout);
  const { path } = file.entry;
  if (mayHoldTemplate(path)) return inSettings(file);
  if (!isTemplateDocument(path)) return NONE;
  if (file.document !== null) return { ...readTemplateDocument(path, file.document), announced: null };
  const problem = { rule: 'template/too-large', message: `${file.size} bytes: not looked at` } as const;
  return { templates: [], problems: [problem], announced: null };
}

/** Settings are nobody's templates until they name one: what else is wrong with them is for others to say. */
function inSettings({ entry, document }: MeasuredFile): FileTemplates {
  if (
    document === null ||
    !Buffer.from(document.buffer, document.byteOffset, document.length).includes('chat_')
  )
    return NONE;
  return { ...readTemplateDocument(entry.path, document), announced: null };
}

const NONE: FileTemplates = { templates: [], problems: [], announced: null };

/** `sha256:…` of the text as UTF-8, without what editors and converters change: line endings and white space at its end. */
export function templateDigest(text: string): string {
  const normal = text.replace(/\r\n?/g, '\n').trimEnd();
  return `sha256:${createHash('sha256').update(normal).digest('hex')}`;
}

function inMetadata({ format, metadata }: NonNullable<MeasuredFile['layout']>): FileTemplates {
  const templates: Template[] = [];
  const problems: Problem[] = [];
  let announced: string[] | null = null;
  const seen = new Set<string>();
  for (const { key, value, start: offset } of metadata) {
    const known = format === 'gguf' ? KEY.exec(plain(key)) : null;
    if (known === null) {
      if (typeof value === 'string' && LIKE_TEMPLATE.test(value)) {
        templates.push({ name: key, source: 'metadata', text: value, offset });
      }
      continue;
    }
    const name = known[2] ?? 'default';
    if (known[1] !== undefined && typeof value === 'object') {
      announced = value.items.filter((item) => typeof item === 'string');
    } else if (typeof value === 'string') {
      // A C loader cuts a key at its NUL, a reviewer does not see it, and of two equal keys loaders take either.
      const rule: RuleId = 'template/shadowed';
      if (seen.has(name)) problems.push({ rule, message: 'a second template has the same name', offset });
      else if (key !== plain(key))
        problems.push({ rule, message: 'a key looks like that of a template', offset });
      seen.add(name);
      templates.push({ name, source: 'metadata', text: value, offset });
    } else {
      problems.push({ rule: 'template/unreadable', message: 'a template is not a string', offset });
    }
  }
  return { templates, problems, announced };
}

const KEY = /^tokenizer\.chat_template(?:(s)|\.(.+))?$/s;
/** A tag, or an expression that begins with a name, a string or a bracket. */
const LIKE_TEMPLATE = /\{%[-+]?\s*[a-z]+\b|\{\{[-+]?\s*['"(\p{L}_[]/u;

/** The key that this one would be taken for. */
const plain = (key: string): string =>
  (key.split('\0')[0] ?? '')
    .normalize('NFKC')
    .replace(/[\p{C}\p{Z}]/gu, '')
    .toLowerCase();
