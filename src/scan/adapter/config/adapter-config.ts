// adapter_config.json as PEFT reads it (huggingface/peft, tuners/*/config.py): it decides how strongly an adapter acts,
// on which modules, and which whole layers it replaces. Read strictly, because of two `lora_alpha` parsers take either; and by
// kind, because `r: 0` is the default of OFT and nonsense for LoRA.
import { isUtf8 } from 'node:buffer';
import { type JsonObject, type JsonValue, readJson } from '../../../document/json/value.ts';
import { isMlx, type MlxConfig, readMlx } from './mlx-config.ts';
import {
  Fields,
  type Is,
  isAny,
  isFlag,
  isLayers,
  isNames,
  isNumber,
  isNumbers,
  isRank,
  isRanks,
  isText,
  isTexts,
} from './reader.ts';
import { type Setting, settingsOf } from './setting.ts';

/** The fields that decide what the weights mean. Missing ones have PEFT's defaults. */
export interface AdapterConfig {
  /** 'LORA' and so on; foreign. */
  readonly kind: string;
  /** The base model, as whoever trained it named it; foreign. */
  readonly base: string | null;
  /** The rank; 0: the kind has none, or another way to say it. */
  readonly r: number;
  readonly alpha: number;
  readonly rsLora: boolean;
  readonly dora: boolean;
  readonly loraBias: boolean;
  /** Weights stand as [in, out], as GPT-2's do. */
  readonly fanInFanOut: boolean;
  /** Which biases are trained: 'none', 'all', or 'lora_only' and its like. */
  readonly bias: string;
  /** A regular expression ('all-linear' is not one), exact names or suffixes, or null: the default of the architecture. */
  readonly targets: string | readonly string[] | null;
  readonly excluded: string | readonly string[] | null;
  /** Names of parameters, not of modules: the experts of a mixture. */
  readonly parameters: readonly string[];
  /** Layers that are saved whole. */
  readonly saved: readonly string[];
  /** Of lists of targets only: layers that they are taken in; null: all. */
  readonly layers: readonly number[] | null;
  readonly layersPattern: readonly string[];
  /** Regular expression for the end of a module's name, with its rank or alpha; the first that matches holds. */
  readonly ranks: readonly (readonly [pattern: string, value: number])[];
  readonly alphas: readonly (readonly [pattern: string, value: number])[];
  /** AdaLoRA: how many of its directions a module kept, by its name. */
  readonly kept: ReadonlyMap<string, number>;
  /** Single rows of the embedding are trained. */
  readonly trainsTokens: boolean;
  /** What else it says that somebody should know. */
  readonly settings: readonly Setting[];
}

export interface ConfigReading {
  /** PEFT's; null: nothing can be taken from it. */
  readonly config: AdapterConfig | null;
  readonly mlx: MlxConfig | null;
  readonly problems: readonly string[];
}

/** Kinds of PEFT whose tensors are checked one by one. */
export const CHECKED: ReadonlySet<string> = new Set([
  'LORA',
  'ADALORA',
  'LOHA',
  'LOKR',
  'OFT',
  'BOFT',
  'IA3',
  'VERA',
]);

export function readAdapterConfig(bytes: Uint8Array): ConfigReading {
  if (!isUtf8(bytes)) return unread('it is not UTF-8');
  const reading = readJson(Buffer.from(bytes).toString('utf8'));
  if ('wrong' in reading) return unread(`it is not strict JSON: ${reading.wrong}`);
  if (!(reading.value instanceof Map)) return unread('it is not an object');
  const object = reading.value as JsonObject;
  if (isMlx(object)) {
    const { config, problems } = readMlx(object);
    return { config: null, mlx: config, problems };
  }
  return { mlx: null, ...readPeft(object) };
}

const unread = (problem: string): ConfigReading => ({ config: null, mlx: null, problems: [problem] });

/** What diffusers keeps in a header is the same, one of them for each component. */
export function readPeft(object: JsonObject): { config: AdapterConfig; problems: readonly string[] } {
  const fields = new Fields(object);
  const kind = fields.take('peft_type', isText, 'LORA');
  // Of a kind that is not known, no value is wrong.
  const isKnown = CHECKED.has(kind);
  const take = <T extends JsonValue>(key: string, is: (value: JsonValue) => value is T, missing: T): T =>
    isKnown ? fields.take(key, is, missing) : given(object, key, is, missing);
  const isLora = kind === 'LORA';
  const config: AdapterConfig = {
    kind,
    base: take('base_model_name_or_path', isText, null),
    r: take('r', isLora ? isRank : isCount, RANKS.get(kind) ?? 8),
    alpha: take(kind === 'LOHA' || kind === 'LOKR' ? 'alpha' : 'lora_alpha', isNumber, 8),
    rsLora: take('use_rslora', isFlag, false),
    dora: take('use_dora', isFlag, false),
    loraBias: take('lora_bias', isFlag, false),
    fanInFanOut: take('fan_in_fan_out', isFlag, false),
    bias: take('bias', isBias(kind), 'none'),
    targets: take('target_modules', isNames, null),
    excluded: take('exclude_modules', isNames, null),
    parameters: take('target_parameters', isTexts, []),
    saved: take('modules_to_save', isTexts, []),
    layers: listed(take('layers_to_transform', isLayers, null)),
    layersPattern: listed(take('layers_pattern', isNames, null)) ?? [],
    ranks:
      kind === 'ADALORA' ? [] : [...take<ReadonlyMap<string, number>>('rank_pattern', isRanks, new Map())],
    alphas: [...take<ReadonlyMap<string, number>>('alpha_pattern', isNumbers, new Map())],
    kept: kind === 'ADALORA' ? keptBy(take<JsonValue>('rank_pattern', isAny, null)) : new Map(),
    trainsTokens: take('trainable_token_indices', isAny, null) !== null,
    settings: settingsOf(object, kind),
  };
  return { config, problems: fields.problems };
}

/** VeRA's projections have so many rows; OFT says its blocks instead. */
const RANKS: ReadonlyMap<string, number> = new Map([
  ['OFT', 0],
  ['BOFT', 0],
  ['IA3', 0],
  ['VERA', 256],
]);

function given<T extends JsonValue>(
  object: JsonObject,
  key: string,
  is: (value: JsonValue) => value is T,
  missing: T,
): T {
  const value = object.get(key) ?? null;
  return value !== null && is(value) ? value : missing;
}

/** AdaLoRA writes, for each lora_E, a list of which directions it kept. */
function keptBy(pattern: JsonValue): Map<string, number> {
  const kept = new Map<string, number>();
  for (const [key, flags] of pattern instanceof Map ? (pattern as JsonObject) : [])
    if (Array.isArray(flags) && flags.every(isFlag))
      kept.set(key.replace(/\.lora_E(?:\.default)?$/, ''), flags.filter((flag) => flag).length);
  return kept;
}

/** A list of none stands for all layers, as PEFT takes it. */
const listed = <T>(value: T | readonly T[] | null): readonly T[] | null =>
  value === null ? null : !Array.isArray(value) ? [value as T] : value.length === 0 ? null : value;

const isCount = (value: JsonValue): value is number => value === 0 || isRank(value);

/** `lora_only`, `boft_only`, `oft_only`, … each for its kind. */
const isBias = (kind: string): Is<string> => {
  const own = `${kind === 'ADALORA' ? 'lora' : kind.toLowerCase()}_only`;
  return (value): value is string => value === 'none' || value === 'all' || value === own;
};
