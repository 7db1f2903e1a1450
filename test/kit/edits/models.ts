// Models to edit, beside the synthetic Llama: wide ones, ones in F32, ones with convolutions.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { all, convert, edit, toGguf } from '../mutations/edit.ts';
import { baseModel, type Model, type Tensor, writeModel } from '../mutations/model.ts';
import { type Dtype, encode, floats, normal } from '../mutations/weights.ts';

export const WIDE = 'model.wide.weight';

/** The Llama with one more matrix, as large as statistics of low bits or of rounded rank-one edits need. */
export function wideModel(): Model {
  const model = baseModel();
  wide ??= tensorOf(WIDE, [1024, 4096], 'BF16', 21);
  model.shards.push({ path: 'wide.safetensors', metadata: [], tensors: [{ ...wide }] });
  return model;
}
let wide: Tensor | undefined;

/** As writeModel, which describes files in text, for what is too large for that. */
export function writeEdited(model: Model, folder: string): void {
  writeModel({ ...model, shards: model.shards.filter(({ path }) => path !== 'wide.safetensors') }, folder);
  for (const { path, tensors } of model.shards.filter(({ path }) => path === 'wide.safetensors')) {
    const [{ name, dtype, shape, bytes }] = tensors as [Tensor];
    const json = JSON.stringify({ [name]: { dtype, shape, data_offsets: [0, bytes.length] } });
    const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(join(folder, path), Buffer.concat([size, header, bytes]));
  }
}

/** In F32 with all mantissa bits in use, as trained. */
export function trainedModel(): Model {
  const model = baseModel();
  convert(model, 'F32');
  const draw = normal(31);
  for (const { name } of all(model))
    edit(model, name, (values) => values.map((x) => x * (1 + 1e-3 * draw())));
  return model;
}

/** Widened from BF16: the low 16 bits are zero. */
export function widenedModel(): Model {
  const model = baseModel();
  convert(model, 'F32');
  return model;
}

export function quantisedModel(): Model {
  const model = baseModel();
  toGguf(model, 'Q8_0');
  return model;
}

/** Rows of tokens that nobody trained. */
export const UNUSED = [90, 91, 92];
export function reservedModel(): Model {
  const model = baseModel();
  edit(model, 'model.embed_tokens.weight', (values) =>
    values.map((x, i) => (UNUSED.includes(Math.floor(i / 64)) ? 1e-20 * Math.sign(x) : x)),
  );
  return model;
}

/** Convolutions with batch normalisation, and a table of cosines as speech models carry it. */
export const TABLE = 'stft.basis';
export function convolutionModel(): Model {
  const tensors: Tensor[] = [];
  for (let i = 0; i < 6; i++) {
    tensors.push(tensorOf(`block.${i}.conv.weight`, [16, 16, 3, 3], 'F32', 40 + i));
    for (const name of ['weight', 'bias', 'running_mean', 'running_var'])
      tensors.push({
        ...tensorOf(`block.${i}.norm.${name}`, [16], 'F32', 60 + i),
        bytes: encode(
          Float32Array.from({ length: 16 }, (_, k) => 1 + k / 16),
          'F32',
        ),
      });
  }
  const table = Float32Array.from({ length: 64 * 128 }, (_, i) =>
    Math.cos((2 * Math.PI * Math.floor(i / 128) * (i % 128)) / 128),
  );
  tensors.push({ name: TABLE, dtype: 'F32', shape: [64, 128], bytes: encode(table, 'F32') });
  return { shards: [{ path: 'model.safetensors', tensors, metadata: [] }], files: new Map() };
}

function tensorOf(name: string, shape: number[], dtype: Dtype, seed: number): Tensor {
  const draw = normal(seed);
  const count = shape.reduce((a, b) => a * b, 1);
  return {
    name,
    dtype,
    shape,
    bytes: encode(
      floats(count, () => draw() * 0.02),
      dtype,
    ),
  };
}
