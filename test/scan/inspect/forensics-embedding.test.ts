// Embeddings that were trained on from an F16 base: rows that no step touched are F16 values still, and carry nothing.
import { join } from 'node:path';
import t from 'tap';
import { scan } from '../../../src/index.ts';
import { encode, normal, values } from '../../kit/mutations/weights.ts';
import { writeTensors } from '../../kit/written.ts';

t.test('rows of F16 values are no stretch, and a text in the low bytes of others still is', async (t) => {
  const draw = normal(11);
  const drawn = (count: number): Float32Array => Float32Array.from({ length: count }, () => 0.02 * draw());
  const narrow = (of: Float32Array): Float32Array => values(encode(of, 'F16'), 'F16');
  const positions = narrow(drawn(512 * 384));
  for (let i = 0; i < 128 * 384; i++) positions[i]! += 1e-4 * draw();
  const words = drawn(4096 * 384);
  words.set(narrow(words.slice(0, 1000 * 384)));
  const tensor = (name: string, of: Float32Array) => ({
    name,
    dtype: 'F32',
    shape: [of.length / 384, 384],
    bytes: encode(of, 'F32'),
  });
  const write = (wordBytes: Uint8Array): string =>
    writeTensors(join(t.testdirName, 'model.safetensors'), [
      ...Array.from({ length: 6 }, (_, i) => tensor(`layers.${i}.weight`, drawn(384 * 384))),
      tensor('embeddings.position_embeddings.weight', positions),
      { ...tensor('embeddings.word_embeddings.weight', words), bytes: wordBytes },
    ]);
  t.testdir({});
  const found = async (path: string): Promise<string[]> =>
    (await scan(path, { forensics: true })).findings
      .filter(({ rule }) => /stretch/.test(rule))
      .map(({ rule }) => rule);
  const honest = Buffer.from(encode(words, 'F32'));
  t.same(await found(write(honest)), []);
  const text = Buffer.from('the quick brown fox jumps over the lazy dog; ');
  const edited = Buffer.from(honest);
  for (let i = 0; i < 65_536 * 2; i++) edited[4 * (1200 * 384 + i)] = text[i % text.length]!;
  t.ok((await found(write(edited))).includes('forensics/plain-stretch'), 'a text is still seen');
});
