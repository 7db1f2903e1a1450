// adapter_config.json as PEFT reads it (huggingface/peft, src/peft/tuners/lora/config.py): it decides how strongly an adapter acts,
// on which modules, and which whole layers it replaces. Read strictly, because of two `lora_alpha` parsers take either.
import { isUtf8 } from 'node:buffer';
import { type JsonObject, type JsonValue, readJson } from '../../../document/json/value.ts';
import { quoted } from '../../../document/violations.ts';

/** The fields that decide what the weights mean. Missing ones have PEFT's defaults. */
export interface AdapterConfig {
  /** 'LORA' is what is understood here. */
  readonly kind: string;
  /** The base model, as whoever trained it named it. */
  readonly base: string | null;
  readonly r: number;
  readonly alpha: number;
  readonly rsLora: boolean;
  readonly dora: boolean;
  readonly bias: 'none' | 'all' | 'lora_only';
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
  /** Single rows of the embedding are trained. */
  readonly trainsTokens: boolean;
}

export interface ConfigReading {
  /** null: nothing can be taken from it. */
  readonly config: AdapterConfig | null;
  readonly problems: readonly string[];
}

export function readAdapterConfig(bytes: Uint8Array): ConfigReading {
  if (!isUtf8(bytes)) return { config: null, problems: ['it is not UTF-8'] };
  const reading = readJson(Buffer.from(bytes).toString('utf8'));
  if ('wrong' in reading) return { config: null, problems: [`it is not strict JSON: ${reading.wrong}`] };
  if (!(reading.value instanceof Map)) return { config: null, problems: ['it is not an object'] };
  const fields = new Fields(reading.value as JsonObject);
  const config: AdapterConfig = {
    kind: fields.take('peft_type', isText, 'LORA'),
    base: fields.take('base_model_name_or_path', isText, null),
    r: fields.take('r', isRank, 8),
    alpha: fields.take('lora_alpha', isNumber, 8),
    rsLora: fields.take('use_rslora', isFlag, false),
    dora: fields.take('use_dora', isFlag, false),
    bias: fields.take('bias', isBias, 'none'),
    targets: fields.take('target_modules', isNames, null),
    excluded: fields.take('exclude_modules', isNames, null),
    parameters: fields.take('target_parameters', isTexts, []),
    saved: fields.take('modules_to_save', isTexts, []),
    layers: listed(fields.take('layers_to_transform', isLayers, null)),
    layersPattern: listed(fields.take('layers_pattern', isNames, null)) ?? [],
    ranks: [...fields.take<ReadonlyMap<string, number>>('rank_pattern', isRanks, new Map())],
    alphas: [...fields.take<ReadonlyMap<string, number>>('alpha_pattern', isNumbers, new Map())],
    trainsTokens: fields.take('trainable_token_indices', isAny, null) !== null,
  };
  return { config, problems: fields.problems };
}

/** A list of none stands for all layers, as PEFT takes it. */
const listed = <T>(value: T | readonly T[] | null): readonly T[] | null =>
  value === null ? null : !Array.isArray(value) ? [value as T] : value.length === 0 ? null : value;

/** Takes fields by name; a value of another type is a problem and stands for the default. */
class Fields {
  readonly problems: string[] = [];
  readonly #object: JsonObject;

  constructor(object: JsonObject) {
    this.#object = object;
  }

  take<T extends JsonValue>(key: string, is: (value: JsonValue) => value is T, missing: T): T {
    const value = this.#object.get(key) ?? null;
    if (value === null) return missing;
    if (is(value)) return value;
    this.problems.push(`${quoted(key)} has a value that PEFT does not write there`);
    return missing;
  }
}

type Is<T extends JsonValue> = (value: JsonValue) => value is T;

const isAny = (value: JsonValue): value is JsonValue => value !== undefined;
const isText: Is<string> = (value) => typeof value === 'string';
const isFlag: Is<boolean> = (value) => typeof value === 'boolean';
const isNumber = (value: JsonValue): value is number => typeof value === 'number' && Number.isFinite(value);
const isRank = (value: JsonValue): value is number => Number.isSafeInteger(value) && (value as number) > 0;
const isIndex = (value: JsonValue): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isBias = (value: JsonValue): value is AdapterConfig['bias'] =>
  value === 'none' || value === 'all' || value === 'lora_only';

const listOf =
  <T extends JsonValue>(is: Is<T>): Is<readonly T[]> =>
  (value): value is readonly T[] =>
    Array.isArray(value) && value.every(is);
const mapOf =
  <T extends JsonValue>(is: Is<T>): Is<ReadonlyMap<string, T>> =>
  (value): value is ReadonlyMap<string, T> =>
    value instanceof Map && [...value.values()].every(is);
const either =
  <S extends JsonValue, T extends JsonValue>(one: Is<S>, other: Is<T>): Is<S | T> =>
  (value): value is S | T =>
    one(value) || other(value);

const isTexts = listOf(isText);
const isNames = either(isText, isTexts);
const isLayers = either(isIndex, listOf(isIndex));
const isRanks = mapOf(isRank);
const isNumbers = mapOf(isNumber);
