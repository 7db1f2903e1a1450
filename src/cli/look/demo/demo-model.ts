// The models of `steelyard demo`: a small llama, a twin with three rows of its embedding replaced, and an adapter. The same bytes
// on every machine, so that what the documents show is what a reader sees.
import { createHash } from 'node:crypto';

interface Tensor {
  readonly name: string;
  readonly shape: readonly [number, number];
  readonly values: Float32Array;
}

const [ROWS, WIDTH, LAYERS, RANK] = [256, 64, 2, 4];
const MODULES = ['self_attn.q_proj', 'self_attn.v_proj', 'mlp.up_proj'] as const;
const EMBEDDING = 'model.embed_tokens.weight';

export function demoModel(): Tensor[] {
  const layers = Array.from({ length: LAYERS }, (_, layer) =>
    MODULES.map((module) => drawn(`model.layers.${layer}.${module}.weight`, [WIDTH, WIDTH], 0.02)),
  );
  return [drawn(EMBEDDING, [ROWS, WIDTH], 0.02), ...layers.flat()];
}

/** What redirects words: rows of the embedding become other rows, with a norm that stands out nowhere. */
export const editedModel = (): Tensor[] =>
  demoModel().map((tensor) => {
    if (tensor.name !== EMBEDDING) return tensor;
    const values = tensor.values.slice();
    for (const row of [7, 11, 13]) values.copyWithin(row * WIDTH, (row + 100) * WIDTH, (row + 101) * WIDTH);
    return { ...tensor, values };
  });

export const demoAdapter = (): Tensor[] =>
  MODULES.slice(0, 2).flatMap((module) => {
    const name = `base_model.model.model.layers.0.${module}`;
    return [
      drawn(`${name}.lora_A.weight`, [RANK, WIDTH], 0.1),
      drawn(`${name}.lora_B.weight`, [WIDTH, RANK], 0.01),
    ];
  });

export const ADAPTER_CONFIG = {
  peft_type: 'LORA',
  r: RANK,
  lora_alpha: 2 * RANK,
  target_modules: ['q_proj', 'v_proj'],
  base_model_name_or_path: 'demo/llama',
};

/** Normally distributed by its name alone (Box and Muller 1958 over SHA-256). */
function drawn(name: string, shape: readonly [number, number], deviation: number): Tensor {
  const values = new Float32Array(shape[0] * shape[1]);
  for (let at = 0; at < values.length; at += 4) {
    const digest = createHash('sha256').update(`${name} ${at}`).digest();
    for (let pair = 0; pair < 2; pair++) {
      const radius = Math.sqrt(-2 * Math.log((digest.readUInt32LE(pair * 8) + 1) / 2 ** 32));
      const angle = (2 * Math.PI * digest.readUInt32LE(pair * 8 + 4)) / 2 ** 32;
      values[at + 2 * pair] = deviation * radius * Math.cos(angle);
      values[at + 2 * pair + 1] = deviation * radius * Math.sin(angle);
    }
  }
  return { name, shape, values };
}

/** safetensors README, "Format": the header's length, the header, the values. */
export function safetensorsOf(tensors: readonly Tensor[]): Buffer {
  let end = 0;
  const header = Object.fromEntries(
    tensors.map(({ name, shape, values }) => {
      const start = end;
      end += values.byteLength;
      return [name, { dtype: 'F32', shape, data_offsets: [start, end] }];
    }),
  );
  const json = JSON.stringify({ __metadata__: { format: 'pt' }, ...header });
  const padded = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const data = tensors.map(({ values }) => Buffer.from(values.buffer));
  return Buffer.concat([length, padded, ...data]);
}
