// Which chat template each loader uses of those that a model has, and by which rule. From the loaders' own code; transformers was
// tried on folders of every kind, the others were read: vLLM 02e64f5 (renderers/hf.py), mlx-lm 0091521 (tokenizer_utils.py), llama.cpp
// 0083bb1 (common/chat.cpp), Ollama 040a8e8 (convert/tokenizer.go) and 0097ef5 (template/template.go).
import type { MeasuredFile } from '../../../measure/measured.ts';
import { type FileTemplates, templateDigest } from '../collect.ts';
import { type Place, placesOf, type Source } from './source-folder.ts';
import { type Loaded, processorTemplates, tokenizerTemplates, type Used } from './transformers.ts';

export { type Place, placesOf, type Source } from './source-folder.ts';

/** What a loader takes of one folder or weight file. */
export interface LoaderChoice {
  readonly loader: string;
  /** What the choice is for: every request, or only those with or without tools. */
  readonly request: 'any' | 'plain' | 'tools';
  /** The folder or the weight file that is loaded; '' for the root. */
  readonly of: string;
  /** null: no template of the model. */
  readonly used: Used | null;
  readonly rule: string;
}

/** A loader's choice for each kind of request, one where they are the same. */
export function loaderChoices(
  files: readonly MeasuredFile[],
  templates: readonly FileTemplates[],
): LoaderChoice[] {
  return placesOf(files, templates).flatMap(choicesOf);
}

export function choicesOf(place: Place): LoaderChoice[] {
  const { folder, documents, extra, weights } = place;
  const ofFolder = documents.size + extra.size === 0 ? [] : folderChoices(place);
  return [...ofFolder.map((choice) => ({ ...choice, of: folder })), ...weights.flatMap(weightChoices)];
}

type Choice = Omit<LoaderChoice, 'of'>;

function folderChoices(place: Place): Choice[] {
  const tokenizer = tokenizerTemplates(place);
  const processor = processorTemplates(place);
  const plain = tokenizer.named.get('default');
  const tools = tokenizer.named.get('tool_use') ?? plain;
  const found: Choice[] = both('transformers (AutoTokenizer)', tokenizer, plain, tools);
  const ofProcessor = place.hasProcessor ? processor.named.get('default') : undefined;
  if (place.hasProcessor) found.push(one('transformers (AutoProcessor)', 'any', ofProcessor, processor.rule));
  if (ofProcessor === undefined) found.push(...both('vLLM', tokenizer, plain, tools));
  else {
    found.push(one('vLLM', 'plain', ofProcessor, `the processor comes first: ${processor.rule}`));
    found.push(one('vLLM', 'tools', tools, `with tools the tokenizer is asked: ${tokenizer.rule}`));
  }
  if (!place.hasModule) found.push(...both('mlx-lm', tokenizer, plain, tools));
  else
    found.push(
      one('mlx-lm', 'any', undefined, 'chat_template_type names a module that takes the place of templates'),
    );
  const config = place.documents.get('tokenizer_config.json');
  found.push(...ollama(config, 'an import reads tokenizer_config.json alone'));
  return found;
}

function weightChoices(source: Source): LoaderChoice[] {
  const { plain, tools, rule } = llamaCpp(source);
  const loaded: Loaded = { named: new Map(), rule };
  const ofOllama = ollama(source, "the file's default template is asked for");
  return [...both('llama.cpp', loaded, plain, tools), ...ofOllama].map((choice) => ({
    ...choice,
    of: source.path,
  }));
}

const NO_TEMPLATES = new Set([templateDigest(''), templateDigest('chatml')]);

/** `common_chat_templates_init`, where the command line names no template. */
function llamaCpp(source: Source): { plain: Used | undefined; tools: Used | undefined; rule: string } {
  const named = taken(source, 'default');
  // An empty one, and the name of its own, stand for none.
  const standard = NO_TEMPLATES.has(named?.digest ?? '') ? undefined : named;
  const forTools = taken(source, 'tool_use');
  if (standard !== undefined)
    return {
      plain: standard,
      tools: forTools ?? standard,
      rule: 'tokenizer.chat_template is the default, tokenizer.chat_template.tool_use is for tools',
    };
  if (forTools !== undefined)
    return { plain: forTools, tools: forTools, rule: 'without a default the one for tools is used' };
  return { plain: undefined, tools: undefined, rule: 'no key that it reads: ChatML of its own is used' };
}

/** Ollama runs Go templates: of a Jinja template it takes only which of its own is most like it. */
function ollama(source: Source | undefined, rule: string): Choice[] {
  const used = source === undefined ? undefined : taken(source, 'default');
  const how =
    'a Modelfile decides; else the most similar template of its own (fewer than 100 edits) stands for it';
  return used === undefined ? [] : [one('Ollama', 'any', used, `${rule}; ${how}`)];
}

function taken({ path, named }: Source, template: string): Used | undefined {
  const digest = named.get(template);
  return digest === undefined ? undefined : { file: path, template, digest };
}

function both(loader: string, { rule }: Loaded, plain: Used | undefined, tools: Used | undefined): Choice[] {
  const isSame = plain?.file === tools?.file && plain?.template === tools?.template;
  if (isSame) return [one(loader, 'any', plain, rule)];
  return [one(loader, 'plain', plain, rule), one(loader, 'tools', tools, rule)];
}

const one = (
  loader: string,
  request: LoaderChoice['request'],
  used: Used | undefined,
  rule: string,
): Choice => ({ loader, request, used: used ?? null, rule });
