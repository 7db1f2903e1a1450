// Payloads in the values of tensors: what is planted is found under its rule, and what is honest and looks alike is silent.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { buildFile } from '../../../fixtures/build.ts';
import { RULES, scan } from '../../../src/index.ts';
import { encode, values } from '../../kit/mutations/weights.ts';
import { packageRoot } from '../../kit/root.ts';
import { type Written, writeTensors } from '../../kit/written.ts';

type Values = Float32Array;

/** Uniform 32-bit words: the same on every machine. */
function words(seed: number): () => number {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
}

function gaussian(seed: number, count: number): Values {
  const word = words(seed);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = 0.02 * Math.sqrt(-2 * Math.log((word() + 0.5) / 2 ** 32));
    const angle = (2 * Math.PI * word()) / 2 ** 32;
    values[i] = radius * Math.cos(angle);
    if (i + 1 < count) values[i + 1] = radius * Math.sin(angle);
  }
  return values;
}

const laplace = (seed: number, count: number): Values => {
  const word = words(seed);
  return Float32Array.from({ length: count }, () => {
    const sign = word() & 1 ? 1 : -1;
    return sign * 0.02 * -Math.log((word() + 0.5) / 2 ** 32);
  });
};

/** Student's t with five degrees of freedom: the tails of trained weights. */
const student = (seed: number, count: number): Values => {
  const normals = gaussian(seed, 6 * count);
  return Float32Array.from({ length: count }, (_, i) => {
    const at = 6 * i;
    let squares = 0;
    for (let k = 1; k < 6; k++) squares += normals[at + k]! ** 2;
    return 0.02 * (normals[at]! / Math.sqrt(squares / 5));
  });
};

const bf16 = (weights: Values): Values => values(encode(weights, 'BF16'), 'BF16');

const COUNT = 1 << 18;
const tensor = (name: string, dtype: string, bytes: Uint8Array, count: number): Written => ({
  name,
  dtype,
  shape: [count],
  bytes,
});
const f32 = (name: string, values: Values): Written =>
  tensor(name, 'F32', new Uint8Array(values.slice().buffer), values.length);
const half = (name: string, dtype: 'BF16' | 'F16', values: Values): Written =>
  tensor(name, dtype, encode(values, dtype), values.length);

/** The same tensor with its bytes changed. */
function edited(one: Written, edit: (bytes: Buffer) => void): Written {
  const bytes = Buffer.from(Uint8Array.from(one.bytes));
  edit(bytes);
  return { ...one, bytes };
}

const program = readFileSync(process.execPath).subarray(0, 1 << 18);
const cipher = (length: number): Buffer =>
  createHash('shake256', { outputLength: length }).update('cipher').digest();

/** Writes a payload into chosen bytes of each element of `width` bytes, from element `first` on. */
const into =
  (payload: Uint8Array, width: number, places: readonly number[], first = 0) =>
  (bytes: Buffer): void =>
    payload.forEach((byte, i) => {
      const element = first + Math.floor(i / places.length);
      bytes[element * width + places[i % places.length]!] = byte;
    });

/** Replaces the lowest bit of a share of 16-bit codes. */
const replaceLowest =
  (share: number, bits = 1) =>
  (bytes: Buffer): void => {
    const word = words(99);
    for (let i = 0; i < bytes.length; i += 2) {
      const drawn = word();
      if ((drawn >>> 8) / 2 ** 24 < share)
        bytes[i] = (bytes[i]! & ~((1 << bits) - 1)) | (drawn & ((1 << bits) - 1));
    }
  };

async function found(t: Test, tensors: readonly Written[]): Promise<string[]> {
  const path = writeTensors(join(t.testdir({}), 'model.safetensors'), tensors);
  const { findings } = await scan(path, { forensics: true });
  return findings
    .filter(({ rule }) => rule.startsWith('forensics/'))
    .map(({ rule, tensor }) => `${rule.slice('forensics/'.length)} ${tensor}`);
}

t.test('payloads in F32', async (t) => {
  const honest = f32('w', gaussian(1, 2 * COUNT));
  const cases: [string, Written, string[]][] = [
    ['nothing', honest, []],
    [
      'a program in the lowest bytes',
      edited(honest, into(program, 4, [0], 7)),
      ['embedded-file', 'plain-stretch'],
    ],
    [
      'a program in two low bytes',
      edited(honest, into(program, 4, [0, 1])),
      ['embedded-file', 'plain-stretch'],
    ],
    [
      'a program in two low bytes, the higher first',
      edited(honest, into(program, 4, [1, 0])),
      ['embedded-file', 'plain-stretch'],
    ],
    [
      'a program in three bytes (EvilModel)',
      edited(honest, into(program, 4, [2, 1, 0])),
      ['embedded-file', 'plain-stretch'],
    ],
    [
      'text in the lowest bytes',
      edited(honest, into(Buffer.alloc(1 << 16, readFileSync(import.meta.filename)), 4, [0], 99)),
      ['plain-stretch'],
    ],
    [
      'ciphertext in three bytes (EvilModel)',
      edited(honest, into(cipher(3 << 16), 4, [2, 1, 0])),
      ['random-stretch'],
    ],
    ['ciphertext in two low bytes: nothing to see', edited(honest, into(cipher(1 << 17), 4, [0, 1])), []],
  ];
  for (const [name, one, rules] of cases)
    t.same([...new Set(await found(t, [one]))].sort(), rules.map((rule) => `${rule} w`).sort(), name);
});

t.test('files, and what only looks like their magic', async (t) => {
  const zip = Buffer.from(
    '504b0304140000000800000000000000000000000000000000000a0000006576696c2e7368656c6c',
    'hex',
  );
  const pe = Buffer.alloc(256);
  pe.write('MZ');
  pe.writeUInt32LE(128, 60);
  pe.write('PE\0\0', 128);
  const pickle = Buffer.from('\x80\x02cposix\nsystem\nU\x02id\x85R.', 'latin1');
  const half = Buffer.from('\x7fELF\x02\x01\x01', 'latin1');
  const put = (payload: Buffer) => [
    edited(tensor('w', 'U8', cipher(COUNT), COUNT), (bytes) => void payload.copy(bytes, 4321)),
  ];
  for (const [name, payload, rules] of [
    ['a ZIP', zip, ['embedded-file w']],
    ['a Windows program', pe, ['embedded-file w']],
    ['a pickle', pickle, ['embedded-file w']],
    ['an ELF magic and noise', half, []],
    ['MZ and noise', Buffer.from('MZ'), []],
    ['a local file header without a name', Buffer.from(zip).fill(0, 26, 28), []],
  ] as const)
    t.same(await found(t, put(payload)), rules, name);
  t.same(await found(t, [tensor('w', 'U8', cipher(32 * COUNT), 32 * COUNT)]), [], '8 MiB of noise');
});

t.test('lowest bits of 16-bit weights, against the tensors beside them', async (t) => {
  const large = 1 << 22;
  const honest = Array.from({ length: 9 }, (_, i) =>
    half(`w${i}`, 'BF16', gaussian(i + 1, i === 0 ? large : COUNT * 2)),
  );
  t.same(await found(t, honest), [], 'honest');
  for (const [share, rules] of [
    [0.25, ['rounding w0']],
    [1, ['equal-pairs w0', 'rounding w0']],
  ] as const) {
    const [first, ...others] = honest;
    t.same(
      (await found(t, [edited(first!, replaceLowest(share)), ...others])).sort(),
      rules,
      `${share} of the weights`,
    );
  }
  const [first, ...others] = honest;
  t.same(
    (await found(t, [edited(first!, replaceLowest(1, 4)), ...others])).sort(),
    ['equal-pairs w0', 'rounding w0'],
    'four bits',
  );
  t.same(
    await found(t, [edited(first!, replaceLowest(1))]),
    [],
    'alone, there is nothing to hold it against',
  );
});

t.test('low bits that are zero in nearly all tensors', async (t) => {
  const widened = (i: number): Written => {
    const values = gaussian(i + 1, 4096);
    new Uint32Array(values.buffer).forEach((code, k, all) => {
      all[k] = code & 0xffff0000;
    });
    return f32(`w${i}`, values);
  };
  const tensors = Array.from({ length: 30 }, (_, i) => widened(i));
  t.same(await found(t, tensors), [], 'widened');
  const one = edited(tensors[3]!, into(Buffer.from('payload'), 4, [0]));
  t.same(await found(t, tensors.with(3, one)), ['low-bits w3']);
  const trained = tensors.map((each, i) => (i < 6 ? f32(each.name, gaussian(i, 4096)) : each));
  t.same(await found(t, trained), [], 'norms kept in F32 beside widened matrices');
});

t.test('payloads of NaN', async (t) => {
  const codes = (list: readonly number[]): Written[] => [
    edited(f32('w', gaussian(1, 4096)), (bytes) => {
      for (const [i, code] of list.entries()) bytes.writeUInt32LE(code, 400 * i);
    }),
  ];
  t.same(await found(t, codes([0x7fc00000, 0xffc00000])), [], 'what arithmetic makes');
  t.same(await found(t, codes([0x7fc00001])), ['nan-payload w']);
  t.same(await found(t, codes([0x7f800001])), ['nan-payload w'], 'signalling');
  t.same(await found(t, codes([1, 2, 3, 4].map((k) => 0x7fc00000 + k))), [], 'stats/nan-codes says it');
  t.same(await found(t, codes(Array.from({ length: 16 }, (_, k) => 0x7fc00001 + k))), ['nan-channel w']);
  const narrow = half('w', 'BF16', gaussian(1, 4096));
  t.same(
    await found(t, [edited(narrow, (bytes) => void bytes.writeUInt16LE(0x7fc1, 8))]),
    ['nan-payload w'],
    'BF16',
  );
});

t.test('blocks that no quantiser made', async (t) => {
  const honest = Array.from({ length: 9 }, (_, i) => {
    const count = 1 << 15;
    const bytes = encode(gaussian(i + 1, count), 'Q8_0');
    return { name: `blk.${i}.ffn_down.weight`, dtype: 'Q8_0', shape: [64, 512], data: bytes };
  });
  const write = (edit: (bytes: Buffer) => void): string => {
    const tensors = honest.map(({ data, ...one }, i) => {
      const own = Buffer.from(data);
      if (i === 4) edit(own);
      return { ...one, data: own.toString('hex') };
    });
    const path = join(t.testdir({}), 'model.gguf');
    const metadata = [{ key: 'general.architecture', type: 'string', value: 'x' }];
    writeFileSync(path, buildFile({ build: { format: 'gguf', metadata, tensors } }));
    return path;
  };
  const rules = async (edit: (bytes: Buffer) => void): Promise<string[]> =>
    (await scan(write(edit), { forensics: true })).findings
      .filter(({ rule }) => rule.startsWith('forensics/'))
      .map(({ rule, tensor }) => `${rule} ${tensor}`);
  const word = words(3);
  t.same(await rules(() => undefined), []);
  t.same(await rules((bytes) => void bytes.fill(0, 0, 34 * 100)), [], 'blocks of zeros');
  t.same(
    await rules((bytes) => {
      for (let i = 0; i < bytes.length; i++) if (i % 34 >= 2) bytes[i] = (bytes[i]! & 0xfe) | (word() & 1);
    }),
    ['forensics/quantiser blk.4.ffn_down.weight'],
  );
  t.same(await rules((bytes) => void bytes.writeInt8(-128, 3)), [
    'forensics/quantiser blk.4.ffn_down.weight',
  ]);
});

t.test('every rule says why, and has a test here', (t) => {
  const source = readFileSync(join(packageRoot, 'test', 'scan', 'inspect', 'forensics.test.ts'), 'utf8');
  for (const rule of RULES.keys())
    if (rule.startsWith('forensics/')) t.match(source, rule.slice('forensics/'.length), rule);
  t.end();
});

t.test('honest weights of every kind are silent', async (t) => {
  const other = bf16(gaussian(77, COUNT));
  const kinds: Record<string, (i: number) => Written> = {
    'Gaussian F32': (i) => f32(`w${i}`, gaussian(i, COUNT)),
    'Laplace F32': (i) => f32(`w${i}`, laplace(i, COUNT)),
    'Student F32': (i) => f32(`w${i}`, student(i, COUNT >> 2)),
    'uniform F32': (i) =>
      f32(
        `w${i}`,
        Float32Array.from({ length: COUNT }, words(i)).map((x) => x / 2 ** 31 - 1),
      ),
    'F32 with rows of zeros': (i) => f32(`w${i}`, gaussian(i, COUNT).fill(0, COUNT / 2, COUNT / 2 + 50_000)),
    'F32 with unused rows alike': (i) => f32(`w${i}`, gaussian(i, COUNT).fill(0.0123, COUNT / 2)),
    'pruned by a third': (i) =>
      f32(
        `w${i}`,
        gaussian(i, COUNT).map((x, k) => (k % 3 === 0 ? 0 : x)),
      ),
    'a Fourier table': (i) =>
      f32(
        `w${i}`,
        Float32Array.from({ length: COUNT }, (_, k) => Math.cos((2 * Math.PI * (k >> 9) * (k & 511)) / 512)),
      ),
    positions: (i) =>
      f32(
        `w${i}`,
        Float32Array.from({ length: COUNT }, (_, k) => Math.sin((k >> 9) / 10_000 ** ((k & 511) / 512))),
      ),
    'fused convolution': (i) =>
      f32(
        `w${i}`,
        gaussian(i, COUNT).map((x, k) => x * (1 + (k >> 12) / 8)),
      ),
    BF16: (i) => half(`w${i}`, 'BF16', gaussian(i, COUNT)),
    'BF16, one tensor times 1.1': (i) =>
      half(
        `w${i}`,
        'BF16',
        bf16(gaussian(i, COUNT)).map((x) => (i === 0 ? x * 1.1 : x)),
      ),
    'BF16, one tensor a mean of two': (i) =>
      half(
        `w${i}`,
        'BF16',
        bf16(gaussian(i, COUNT)).map((x, k) => (i === 0 ? (x + other[k]!) / 2 : x)),
      ),
    F16: (i) => half(`w${i}`, 'F16', gaussian(i, COUNT)),
    'BF16 and Laplace mixed': (i) => half(`w${i}`, 'BF16', i % 2 ? gaussian(i, COUNT) : laplace(i, COUNT)),
  };
  for (const [kind, make] of Object.entries(kinds)) {
    t.same(
      await found(
        t,
        Array.from({ length: 9 }, (_, i) => make(i)),
      ),
      [],
      kind,
    );
  }
});
