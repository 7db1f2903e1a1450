// Words of configurations that make a library import code or open another file: the same in a weight file's metadata and in a
// document beside it, and of the same weight there.
import type { JsonObject, JsonValue } from '../../document/json/value.ts';
import type { Severity } from '../../rules/rule.ts';

interface CodeSetting {
  readonly key: string;
  readonly value: JsonValue;
  /** high: imported without asking; medium: only where the user trusts remote code. */
  readonly severity: Severity;
}

const MAX_KEY = 512; // longer ones mean nothing to anyone

/** Imported by PEFT and diffusers on their own. */
const IMPORTED = /(^|\.)(auto_mapping|parent_library|custom_modules|custom_pipeline)$/;
/** Imported where the caller says trust_remote_code, or allow_remote (ModelScope). */
const TRUSTING = /(^|\.)(auto_map|trust_remote_code|allow_remote|plugins|custom_st|custom_code)$/;
const TRUSTED = /^(transformers|diffusers|peft|sentence_transformers|timm)(\.\w+)*$/;
const isTrusted = (module: string): boolean => module.length <= MAX_KEY && TRUSTED.test(module);

/** null: the setting names no code. */
export function codeSetting(key: string, value: JsonValue): CodeSetting | null {
  if (key.length > MAX_KEY || isHarmless(key, value)) return null;
  if (IMPORTED.test(key)) return { key, value, severity: 'high' };
  return TRUSTING.test(key) ? { key, value, severity: 'medium' } : null;
}

/** PEFT itself writes {"base_model_class": …, "parent_library": "transformers.models.…"} for models without a task. */
function isHarmless(key: string, value: JsonValue): boolean {
  if (value === null || value === false || value === '' || value === 'null' || value === 'false') return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === 'string') return key.endsWith('parent_library') && isTrusted(value);
  if (!(value instanceof Map)) return false;
  const library = (value as JsonObject).get('parent_library');
  return value.size === 0 || (typeof library === 'string' && isTrusted(library));
}

/** Every key of a configuration with its value, nested ones too. */
export function* settingsIn(value: JsonValue): Generator<readonly [string, JsonValue], void, undefined> {
  if (value instanceof Map) {
    for (const [key, inner] of value as JsonObject) {
      if (key.length <= MAX_KEY) yield [key, inner];
      yield* settingsIn(inner);
    }
  } else if (Array.isArray(value)) for (const item of value as JsonValue[]) yield* settingsIn(item);
}

export const shownSetting = (value: JsonValue): string =>
  value instanceof Map
    ? [...value].map(([key, inner]) => `${key}: ${shownSetting(inner)}`).join(', ')
    : String(value);
