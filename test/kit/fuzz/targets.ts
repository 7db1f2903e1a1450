// What can be fuzzed in TypeScript: samples to mutate, and the law for what comes out.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { templateVectors } from '../../../fixtures/templates.ts';
import { readVectors } from '../../../fixtures/vectors.ts';
import { detectFormat } from '../../../src/scan/format/format.ts';
import type { Format } from '../../../src/scan/format/layout.ts';
import { packageRoot } from '../root.ts';
import { breachOfIndex, breachOfReader, breachOfTemplate } from './law.ts';
import { OUTSIDE } from './outside.ts';

export interface Target {
  readonly samples: () => Uint8Array[];
  /** The first breach of the law, or null. */
  readonly breach: (bytes: Uint8Array) => string | null;
}

export const TARGETS: Readonly<Record<string, Target>> = {
  safetensors: reader('safetensors'),
  gguf: reader('gguf'),
  'shard-index': { samples: indexes, breach: breachOfIndex },
  templates: { samples: templates, breach: breachOfTemplate },
  ...OUTSIDE,
};

/** Enough for every structure there is; longer samples are only slower. */
const SAMPLE_MAX = 4096;

function reader(format: Format): Target {
  return { samples: () => filesOf(format), breach: (bytes) => breachOfReader(format, bytes) };
}

/** The vectors, and of the real files their headers' beginnings. */
function filesOf(format: Format): Uint8Array[] {
  const vectors = readVectors(join(packageRoot, 'fixtures', 'vectors'))
    .filter((vector) => vector.format === format && vector.bytes.length < SAMPLE_MAX)
    .map(({ bytes }) => bytes);
  const folder = join(packageRoot, 'fixtures', 'real');
  const real = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => detectFormat(path, new Uint8Array(0)) === format)
    .map((path) => readFileSync(join(folder, path)).subarray(0, SAMPLE_MAX));
  return [...vectors, ...real];
}

function templates(): Uint8Array[] {
  return templateVectors()
    .map(({ source }) => Buffer.from(source))
    .filter(({ length }) => length < SAMPLE_MAX);
}

function indexes(): Uint8Array[] {
  const [a, b] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  const texts = [
    JSON.stringify({ metadata: { total_size: 12 }, weight_map: { a, b: a, c: b } }, null, 2),
    JSON.stringify({ weight_map: { 'a\u0301': a, __proto__: b }, metadata: { total_size: 13476835328.5 } }),
    '{"weight_map":{"a":"../x","b":"/etc/x","c":"c:\\\\x","d":".","e":""},"weight_map":{}}',
    '{"metadata":{"total_size":-1e400,"x":[{"y":null}]},"weight_map":{"a":1,"a":"b","\\u0061":"c"}}',
    '[1,2,{"weight_map":{}}]',
  ];
  return texts.map((text) => Buffer.from(text));
}
