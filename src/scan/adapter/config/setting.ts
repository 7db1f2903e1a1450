// What adapter_config.json says beyond scale and targets. A closed table: a field that is in it is training's, or evaluated
// elsewhere, or has an effect that is told here; any other field with a value is told, because it may be the one that matters.
import type { JsonObject, JsonValue } from '../../../document/json/value.ts';
import { CODE, EFFECTS, HARMLESS, LORA_INITS } from './fields.ts';

/** A field that somebody should know of. */
export interface Setting {
  /**
   * 'code': it is imported. 'path': a file outside of the adapter's folder is opened. 'effect': the weights mean something else
   * than B·A. 'unknown': what it does is not known here.
   */
  readonly kind: 'code' | 'path' | 'effect' | 'unknown';
  /** Foreign. */
  readonly key: string;
  /** Foreign, as text. */
  readonly value: string;
  /** Of effects: what it does. */
  readonly what: string;
}

/** `kind`: PEFT's; of kinds that are not known, every field may be one of theirs. */
export function settingsOf(object: JsonObject, kind: string): Setting[] {
  const found: Setting[] = [];
  const tell = (of: Setting['kind'], key: string, value: JsonValue, what = ''): void =>
    void found.push({ kind: of, key, value: shown(value), what });
  for (const [key, value] of object) {
    if (isNothing(value)) continue;
    const effect = EFFECTS.get(key);
    if (CODE.has(key)) tell('code', key, value);
    else if (key === 'init_lora_weights') {
      const init = typeof value === 'string' ? LORA_INITS.get(value.replace(/_niter_\d+$/, '')) : undefined;
      if (typeof value === 'string' && init === undefined) tell('unknown', key, value);
      else if (init !== undefined && init !== '') tell('effect', key, value, init);
    } else if (effect !== undefined) {
      if (!effect.harmless.includes(value)) tell('effect', key, value, effect.what);
    } else if (!HARMLESS.has(key) && IS_LORA.has(kind)) tell('unknown', key, value);
    for (const [name, path] of pathsIn(key, value)) tell('path', name, path);
  }
  return found.filter((setting) => !(setting.kind === 'code' && isTrusted(object, setting.key)));
}

const IS_LORA: ReadonlySet<string> = new Set(['LORA', 'ADALORA']);

/** PEFT writes these where a field is not used. */
const isNothing = (value: JsonValue): boolean =>
  value === null ||
  value === false ||
  value === '' ||
  (value instanceof Map && value.size === 0) ||
  (Array.isArray(value) && value.length === 0);

/** Libraries whose classes PEFT itself writes there (peft/auto.py, get_default_import_allowlist, and diffusers'). */
const TRUSTED = /^(?:transformers|diffusers|peft|sentence_transformers|timm|megatron\.core)(?:\.\w+)*$/;

function isTrusted(object: JsonObject, key: string): boolean {
  const value = object.get(key)!;
  const library = value instanceof Map ? (value as JsonObject).get('parent_library') : value;
  return typeof library === 'string' && library.length < 512 && TRUSTED.test(library);
}

const PATH = /(?:^|_)(?:path|file|dir|folder)$/;
const OUTSIDE = /(?:^|[\\/])\.\.(?:[\\/]|$)|^\\\\[^\\]|^file:|^~[\\/]/i;
const DEEPEST = 8;

/** Texts under a key that names a path, at any depth, that lead out of the folder. */
function* pathsIn(key: string, value: JsonValue, depth = 0): Generator<[string, string]> {
  if (typeof value === 'string') {
    if (PATH.test(key) && OUTSIDE.test(value)) yield [key, value];
  } else if (value instanceof Map && depth < DEEPEST)
    for (const [inner, one] of value as JsonObject) yield* pathsIn(inner, one, depth + 1);
}

const SHOWN = 200;

function shown(value: JsonValue, depth = 0): string {
  if (depth > DEEPEST) return '…';
  const text =
    value instanceof Map
      ? [...(value as JsonObject)]
          .slice(0, 16)
          .map(([key, inner]) => `${key}: ${shown(inner, depth + 1)}`)
          .join(', ')
      : Array.isArray(value)
        ? `[${value
            .slice(0, 16)
            .map((inner) => shown(inner, depth + 1))
            .join(', ')}]`
        : String(value);
  return text.slice(0, SHOWN);
}
