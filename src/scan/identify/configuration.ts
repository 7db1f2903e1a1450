// JSON beside the weights: whether it is one at all, and whether it names code to import or another file to load instead.
import { type JsonObject, type JsonValue, readJson } from '../../document/json/value.ts';
import { quoted, type Violation } from '../../document/violations.ts';
import type { ByteSource } from '../format/layout.ts';
import type { Kind } from './kind.ts';
import { codeSetting, settingsIn, shownSetting } from './settings.ts';

/** Configurations take some kB; what is larger is a vocabulary. */
const MAX = 4 * 2 ** 20;
/** Of one rule in one file. */
const PLACES = 20;

/** What a loader opens by name and cannot do without. */
const DUE =
  /(^|\/)(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|preprocessor_config|processor_config|model_index|quantize_config|quant_config|modules|configuration|params|sentence_bert_config|config_sentence_transformers|hf_quant_config)\.json$/i;
/** adapter_config.json has an inspection of its own. */
const OTHERS = /(^|\/)(adapter_config|tokenizer|vocab|added_tokens)\.json$|\.index(\.[^./]+)?\.json$/i;

export function checkDocument(path: string, source: ByteSource, kind: Kind): Violation[] {
  if (!/\.json$/i.test(path)) return [];
  const due = DUE.test(path);
  if (kind !== 'json')
    return due ? [broken(`it is ${kind === 'empty' ? 'empty' : 'not JSON but text'}`)] : [];
  if (source.size > MAX) return due && !endsWhole(source) ? [broken('it ends in the middle')] : [];
  const text = Buffer.from(source.read(0, source.size))
    .toString('utf8')
    .replace(/^\uFEFF/, '');
  const reading = readJson(text);
  if ('wrong' in reading) {
    // Python writes NaN and Infinity, and reads them again.
    return due && !isPythonic(text) ? [broken(reading.wrong)] : [];
  }
  return OTHERS.test(path)
    ? []
    : [...codeSettings(reading.value), ...redirections(path, reading.value)].slice(0, PLACES);
}

/** quant_method of config.json; undefined: there is none. */
export function quantisation(path: string, source: ByteSource): string | undefined {
  if (!/(^|\/)config\.json$/.test(path) || source.size > MAX) return undefined;
  const reading = readJson(Buffer.from(source.read(0, source.size)).toString('utf8'));
  const config = 'value' in reading && reading.value instanceof Map ? (reading.value as JsonObject) : null;
  const settings = config?.get('quantization_config') ?? config?.get('compression_config');
  const method = settings instanceof Map ? (settings as JsonObject).get('quant_method') : undefined;
  return typeof method === 'string' ? method.slice(0, 64) : undefined;
}

const broken = (wrong: string): Violation => ({
  rule: 'file/json',
  message: `the file is not the JSON that loaders expect: ${wrong}`,
});

function endsWhole(source: ByteSource): boolean {
  const end = Buffer.from(source.read(source.size - 64, 64))
    .toString('latin1')
    .trimEnd();
  return end.endsWith('}') || end.endsWith(']');
}

const NUMBERS = /(?<=[:,[]\s{0,8})(?:NaN|-?Infinity)(?=\s{0,8}[,\]}])/g;

function isPythonic(text: string): boolean {
  return NUMBERS.test(text) && !('wrong' in readJson(text.replace(NUMBERS, 'null')));
}

function codeSettings(value: JsonValue): Violation[] {
  const found: Violation[] = [];
  for (const [key, inner] of settingsIn(value)) {
    if (key === 'class_name' && inner === 'Lambda')
      found.push({ rule: 'file/runs-code', message: 'a layer of Keras is a Lambda, which holds code' });
    const setting = codeSetting(key, inner);
    if (setting === null) continue;
    const shown = shownSetting(inner);
    // org/repo--module.Class: the code is fetched from another repository when the model is loaded.
    const elsewhere = /[\w.-]+\/[\w.-]+--/.test(shown) ? ', of another repository' : '';
    const message = `${quoted(key)} names code to import${elsewhere}: ${quoted(shown)}`;
    found.push({ rule: 'file/runs-code', severity: setting.severity, message });
    if (found.length === PLACES) break;
  }
  return found;
}

/** Fields that make a loader take other files than those it would take by name. */
const REDIRECTING = new Set(['fast_tokenizer_files', 'configuration_files', 'transformers_weights']);
export const OUTSIDE = /(^|[\\/])\.\.([\\/]|$)|^\\\\[^\\]|^file:|^~[\\/]|^\/(?!$)/;

function redirections(path: string, value: JsonValue): Violation[] {
  const found: Violation[] = [];
  const told = (key: string, inner: JsonValue): void => {
    const message = `${quoted(key)} leads a loader to other files: ${quoted(shownSetting(inner))}`;
    found.push({ rule: 'file/runs-code', message });
  };
  if (value instanceof Map)
    for (const [key, inner] of value as JsonObject)
      if (REDIRECTING.has(key) && isStrange(key, inner)) told(key, inner);
  if (/(^|\/)modules\.json$/.test(path) && Array.isArray(value))
    for (const module of value as JsonValue[]) {
      const type = module instanceof Map ? (module as JsonObject).get('type') : undefined;
      const where = module instanceof Map ? (module as JsonObject).get('path') : undefined;
      if (typeof type === 'string' && !/^(sentence_transformers|transformers|torch\.nn)(\.\w+)+$/.test(type))
        found.push({ rule: 'file/runs-code', message: `"type" names code to import: ${quoted(type)}` });
      if (typeof where === 'string' && OUTSIDE.test(where)) told('path', where);
    }
  return found;
}

/** Lists of versioned names are honest (config.4.0.0.json); other names and other folders are not. */
function isStrange(key: string, value: JsonValue): boolean {
  const names = [value].flat().filter((one) => typeof one === 'string');
  const usual =
    key === 'transformers_weights'
      ? /^[\w.-]+\.safetensors(\.index\.json)?$/
      : /^(tokenizer|config)\.[\d.]+\.json$/;
  return names.length === 0 ? value !== null : !names.every((name) => usual.test(name));
}
