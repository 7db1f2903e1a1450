// Configuration inside the metadata. diffusers and PEFT build an adapter's configuration from it, so it decides which module
// is imported, which path is opened and how strongly the adapter acts, beside and before adapter_config.json.
import { type JsonValue, readJson } from '../../../document/json/value.ts';
import { quoted, type Violations } from '../../../document/violations.ts';
import type { Layout, MetadataEntry } from '../../format/layout.ts';
import { codeSetting, settingsIn, shownSetting } from '../../identify/settings.ts';

export function inspectConfig(layout: Layout, violations: Violations): void {
  const ranks = ranksOf(layout);
  for (const entry of layout.metadata) {
    if (typeof entry.value !== 'string' || entry.key.length > MAX_KEY) continue;
    const settings = CONFIG_KEYS.test(entry.key) ? settingsOf(entry, entry.value, violations) : [];
    for (const setting of settings) checkSetting(entry, setting, violations);
    checkSetting(entry, [entry.key, entry.value], violations);
    checkRank(entry, settings.length > 0 ? settings : [[entry.key, entry.value]], ranks, violations);
  }
}

type Setting = readonly [key: string, value: JsonValue];

const CONFIG_KEYS =
  /^(lora_adapter_metadata|\w*(peft|adapter|lora)_config|config|model_config|quantization_config)$/;
const MAX_CONFIG = 1_048_576;
const MAX_KEY = 512; // longer ones mean nothing to anyone

/** Every key of the configuration, nested ones too. */
function settingsOf(entry: MetadataEntry, text: string, violations: Violations): Setting[] {
  // Other programs' "config" may be of any form; this one is JSON or nothing reads it.
  const due = entry.key !== 'config' || text.trimStart().startsWith('{');
  if (!due || text.length > MAX_CONFIG) return [];
  const reading = readJson(text);
  if ('wrong' in reading) {
    violations.report('metadata/config', `${quoted(entry.key)} is not strict JSON: ${reading.wrong}`, {
      offset: entry.start,
    });
    return [];
  }
  return [...settingsIn(reading.value)];
}

const PATH_KEYS = /(^|[._])(\w*_)?(path|file|dir|folder)$/i;
const OUTSIDE = /(^|[\\/])\.\.([\\/]|$)|^\\\\[^\\]|^file:|^~[\\/]/i;

function checkSetting(entry: MetadataEntry, [key, value]: Setting, violations: Violations): void {
  const where = key === entry.key ? quoted(key) : `${quoted(key)} in ${quoted(entry.key)}`;
  const code = codeSetting(key, value);
  if (code !== null) {
    const { severity } = code;
    const message = `${where} names code to import: ${quoted(shownSetting(value))}`;
    violations.report('metadata/code', message, { severity, offset: entry.start });
  }
  const isPath = key !== entry.key && PATH_KEYS.test(key) && typeof value === 'string' && OUTSIDE.test(value);
  if (isPath)
    violations.report('metadata/path', `${where} leads to ${quoted(value)}`, { offset: entry.start });
}

const RANK_KEYS = /(^|\.)(r|rank|lora_rank)$/;
const ALPHA_KEYS = /(^|\.)(alpha|lora_alpha)$/;
/** Alpha over rank scales the adapter: real ones use 0.1 to 8. */
const MAX_SCALE = 1000;

function checkRank(
  entry: MetadataEntry,
  settings: readonly Setting[],
  ranks: ReadonlySet<number>,
  violations: Violations,
): void {
  if (ranks.size === 0) return;
  const place = { offset: entry.start };
  const declared = settings.filter(([key]) => RANK_KEYS.test(key)).map(([, value]) => Number(value));
  const found = [...ranks].sort((a, b) => a - b);
  // One configuration may speak of several components, of which the file has some.
  const patterned = settings.some(
    ([key, value]) => key.endsWith('rank_pattern') && value instanceof Map && value.size > 0,
  );
  if (declared.length > 0 && !patterned && !declared.some((rank) => ranks.has(rank))) {
    violations.report(
      'metadata/lora',
      `${quoted(entry.key)} declares rank ${declared[0]}, no tensor has it`,
      {
        ...place,
        expected: found.slice(0, 8).join(', '),
        actual: String(declared[0]),
      },
    );
  }
  for (const [key, value] of settings) {
    const alpha = Number(value);
    if (!ALPHA_KEYS.test(key) || (alpha >= 0 && alpha <= MAX_SCALE * found.at(-1)!)) continue;
    violations.report('metadata/lora', `${quoted(entry.key)} declares alpha ${quoted(shownSetting(value))}`, {
      ...place,
      expected: `0 to ${MAX_SCALE} times the rank`,
    });
  }
}

const DOWN = /(^|[._])lora_(A|a|down)(\.|$)/;

/** Rows of the tensors that lead down to the rank. */
function ranksOf({ tensors }: Layout): Set<number> {
  const ranks = new Set<number>();
  for (const { name, shape } of tensors) if (shape.length >= 2 && DOWN.test(name)) ranks.add(shape[0]!);
  return ranks;
}
