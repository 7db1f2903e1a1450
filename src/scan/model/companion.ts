// Files beside the weights whose content is judged, not only their digest: they say what is loaded and what the model is told.
import type { Violation } from '../../document/violations.ts';
import { isShardIndex, MAX_INDEX } from '../format/safetensors/shard-index.ts';
import type { ModelFile } from './file.ts';

/** Larger ones are not kept; there is a finding then. Tokenizer configurations are below 10 MB. */
const DOCUMENT_MAX = 16 * 2 ** 20;

/** adapter_config.json of PEFT: some kB, or 1 MB where every module has a rank of its own. */
export const ADAPTER_CONFIG_MAX = 4 * 2 ** 20;

/** tokenizer.json; those of Gemma 3 have 33 MB. */
const TOKENIZER_MAX = 64 * 2 ** 20;

/** Bytes that all documents of a model may take together: a folder can hold any number of them. */
export const DOCUMENTS_MAX = 512 * 2 ** 20;

/** The whole file; null: not a document, or too large for one. Throws IO, FILE_CHANGED. */
export function readDocument(file: ModelFile): Uint8Array | null {
  const { path } = file.entry;
  const isKept = isDocument(path) || mayHoldTemplate(path) || isTokenizer(path) || isVocabulary(path);
  return isKept && file.size <= mostOf(path) ? file.read(0, file.size) : null;
}

function mostOf(path: string): number {
  if (isShardIndex(path)) return MAX_INDEX;
  if (isAdapterConfig(path)) return ADAPTER_CONFIG_MAX;
  return isTokenizer(path) || isVocabulary(path) ? TOKENIZER_MAX : DOCUMENT_MAX;
}

/** By its name, a tokenizer as the library tokenizers writes it; transformers takes tokenizer.4.0.0.json where a list names it. */
export const isTokenizer = (path: string): boolean => /(?:^|\/)tokenizer(?:\.[\w.]+)?\.json$/i.test(path);

/** By its name, a file that says which text has which id. */
export const isVocabulary = (path: string): boolean => /(?:^|\/)(?:vocab|added_tokens)\.json$/i.test(path);

/** What keeps a shard index from being read as one. */
export function documentViolations({ entry, size }: ModelFile): Violation[] {
  if (!isShardIndex(entry.path) || size <= MAX_INDEX) return [];
  const message = `the index has ${size} bytes, more than any model needs`;
  return [{ rule: 'shard/index', message, expected: `at most ${MAX_INDEX} bytes`, actual: String(size) }];
}

/** Whether a document's bytes are kept when it is measured. */
export const isDocument = (path: string): boolean =>
  isTemplateDocument(path) || isShardIndex(path) || isAdapterConfig(path);

/** By its name, the configuration of an adapter. PEFT opens exactly this name. */
export const isAdapterConfig = (path: string): boolean => /(?:^|\/)adapter_config\.json$/.test(path);

/** By its name, a file that holds chat templates. */
export function isTemplateDocument(path: string): boolean {
  return /(?:^|\/)(?:(?:tokenizer_config|processor_config|chat_template)\.json|[^/]*\.jinja2?)$/i.test(path);
}

/**
 * By its name, a file of settings that loaders merge into a tokenizer's: transformers takes a chat template from
 * special_tokens_map.json before any other, where tokenizer_config.json has no added_tokens_decoder.
 */
export const mayHoldTemplate = (path: string): boolean =>
  /(?:^|\/)(?:special_tokens_map|preprocessor_config|video_preprocessor_config|config|generation_config)\.json$/i.test(
    path,
  );

/** The folder of a path, with the slash behind it; '' for the root. */
export const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);
