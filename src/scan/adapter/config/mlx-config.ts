// adapter_config.json of mlx-lm (mlx_lm/tuner/utils.py, linear_to_lora_layers): another program's file of the same name.
import type { JsonObject, JsonValue } from '../../../document/json/value.ts';
import { Fields, isNumber, isRank, isText } from './reader.ts';

export interface MlxConfig {
  /** 'lora', 'dora', 'full'. */
  readonly kind: string;
  readonly rank: number | null;
  /** What A·B is multiplied by; null: not said. */
  readonly scale: number | null;
  /** Versions of early 2024 multiplied by alpha / rank as well. */
  readonly alpha: number | null;
}

/** Whether it is mlx-lm's, and not PEFT's. */
export const isMlx = (object: JsonObject): boolean =>
  !object.has('peft_type') &&
  ['fine_tune_type', 'lora_parameters', 'lora_layers'].some((key) => object.has(key));

export function readMlx(object: JsonObject): { config: MlxConfig; problems: readonly string[] } {
  const outer = new Fields(object);
  const kind = outer.take('fine_tune_type', isText, 'lora');
  const parameters = outer.take<JsonObject>('lora_parameters', isObject, new Map());
  const inner = new Fields(parameters);
  const config = {
    kind,
    rank: inner.take<number | null>('rank', isRankOrNull, null),
    scale: inner.take<number | null>('scale', isNumberOrNull, null),
    alpha: inner.take<number | null>('alpha', isNumberOrNull, null),
  };
  return { config, problems: [...outer.problems, ...inner.problems] };
}

const isObject = (value: JsonValue): value is JsonObject => value instanceof Map;
const isRankOrNull = (value: JsonValue): value is number | null => value === null || isRank(value);
const isNumberOrNull = (value: JsonValue): value is number | null => value === null || isNumber(value);
