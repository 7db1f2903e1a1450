// diffusers keeps the configurations of an adapter's components in the header, as one flat object: 'transformer.r',
// 'transformer.lora_alpha', 'text_encoder.r' (src/diffusers/loaders/lora_base.py, _pack_dict_with_prefix).
import { type JsonObject, type JsonValue, readJson } from '../../../document/json/value.ts';
import { type AdapterConfig, readPeft } from './adapter-config.ts';

const LONGEST = 1 << 20;

/** What is wrong in it is told by the inspection of metadata. */
export function componentsOf(text: unknown): Map<string, AdapterConfig> {
  const found = new Map<string, AdapterConfig>();
  if (typeof text !== 'string' || text.length > LONGEST) return found;
  const reading = readJson(text);
  if ('wrong' in reading || !(reading.value instanceof Map)) return found;
  const grouped = new Map<string, Map<string, JsonValue>>();
  for (const [key, value] of reading.value as JsonObject) {
    const dot = key.indexOf('.');
    if (dot < 1) continue;
    const component = grouped.get(key.slice(0, dot)) ?? new Map<string, JsonValue>();
    component.set(key.slice(dot + 1), value);
    grouped.set(key.slice(0, dot), component);
  }
  for (const [name, object] of grouped) found.set(name, readPeft(object).config);
  return found;
}
