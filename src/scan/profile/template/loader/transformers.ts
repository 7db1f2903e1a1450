// Which template transformers uses, as its code of version 5.24 was read and tried: AutoTokenizer and AutoProcessor look in the same
// folder and take different files.
import type { Place, Source } from './source-folder.ts';

/** A template of one document. */
export interface Used {
  readonly file: string;
  readonly template: string;
  readonly digest: string;
}

/** What a loader holds after loading: a template for each name, and why these. */
export interface Loaded {
  readonly named: ReadonlyMap<string, Used>;
  readonly rule: string;
}

const NOTHING: Loaded = { named: new Map(), rule: 'no document that it reads has a template' };

/** `PreTrainedTokenizerBase._from_pretrained`. */
export function tokenizerTemplates({ documents, extra, listsTokens }: Place): Loaded {
  const map = documents.get('special_tokens_map.json');
  if (map !== undefined && !listsTokens)
    return {
      named: all(map),
      rule: 'special_tokens_map.json is merged over everything, because tokenizer_config.json has no added_tokens_decoder',
    };
  // additional_chat_templates/file.jinja is entered as chat_template_file, the name of chat_template.jinja itself.
  const usurper = extra.get('file');
  const standard = usurper ?? documents.get('chat_template.jinja');
  const named = new Map<string, Used>();
  if (standard !== undefined) named.set('default', only(standard));
  for (const [name, source] of extra) if (name !== 'file') named.set(name, only(source));
  if (named.size > 0) return { named, rule: ruleOfFiles(extra.has('default'), usurper !== undefined) };
  const config = documents.get('tokenizer_config.json');
  if (config === undefined) return NOTHING;
  return { named: all(config), rule: 'tokenizer_config.json holds it, and there is no template file' };
}

function ruleOfFiles(hasDefault: boolean, isUsurped: boolean): string {
  if (hasDefault) return 'additional_chat_templates/default.jinja comes before every other file';
  if (isUsurped) return 'additional_chat_templates/file.jinja takes the place of chat_template.jinja';
  return 'template files come before tokenizer_config.json';
}

/** `ProcessorMixin.get_processor_dict`. */
export function processorTemplates({ documents, extra }: Place): Loaded {
  const legacy = documents.get('chat_template.json');
  if (legacy !== undefined && extra.size > 0)
    return { ...NOTHING, rule: 'it refuses chat_template.json beside additional_chat_templates' };
  const config = documents.get('processor_config.json');
  if (config !== undefined)
    return { named: all(config), rule: 'processor_config.json comes before template files' };
  if (legacy !== undefined)
    return { named: all(legacy), rule: 'chat_template.json comes before chat_template.jinja' };
  const named = new Map([...extra].map(([name, source]) => [name, only(source)]));
  const standard = documents.get('chat_template.jinja');
  if (standard !== undefined) named.set('default', only(standard));
  if (named.size === 0) return NOTHING;
  return { named, rule: 'chat_template.jinja comes before additional_chat_templates/default.jinja' };
}

const only = ({ path, named }: Source): Used => {
  const [[template, digest] = ['', '']] = named;
  return { file: path, template, digest };
};

const all = ({ path, named }: Source): Map<string, Used> =>
  new Map([...named].map(([template, digest]) => [template, { file: path, template, digest }]));
