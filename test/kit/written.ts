// Writes safetensors files of any size: vectors are text, and a tensor of millions of weights is none.
import { writeFileSync } from 'node:fs';

export interface Written {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Returns the path. */
export function writeTensors(
  path: string,
  tensors: readonly Written[],
  metadata?: Readonly<Record<string, string>>,
): string {
  let end = 0;
  const entries = tensors.map(({ name, dtype, shape, bytes }) => {
    const start = end;
    end += bytes.length;
    return [name, { dtype, shape, data_offsets: [start, end] }];
  });
  const json = JSON.stringify({
    ...(metadata && { __metadata__: metadata }),
    ...Object.fromEntries(entries),
  });
  const header = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, 0x20);
  header.writeBigUInt64LE(BigInt(header.length - 8));
  header.write(json, 8);
  writeFileSync(path, Buffer.concat([header, ...tensors.map(({ bytes }) => bytes)]));
  return path;
}
