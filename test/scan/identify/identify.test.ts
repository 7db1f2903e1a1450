// Files beside the weights: what each vector is by its content, what it is told for, and that no bytes break the readers.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { z } from 'zod';
import { RULES, type RuleId } from '../../../src/rules/rules.ts';
import { atOnce } from '../../../src/runtime/turn.ts';
import { identify } from '../../../src/scan/identify/identify.ts';
import { kindWords, roleOf } from '../../../src/scan/identify/kind.ts';
import { packageRoot } from '../../kit/root.ts';
import { memory } from '../../kit/specimen/inspected.ts';

const Vector = z.strictObject({
  name: z.string(),
  comment: z.string(),
  path: z.string(),
  text: z.string().optional(),
  base64: z.string().optional(),
  kind: z.string(),
  expect: z.array(z.tuple([z.string(), z.string()])),
});
const vectors = z
  .array(Vector)
  .parse(JSON.parse(readFileSync(join(packageRoot, 'fixtures', 'vectors', 'beside.json'), 'utf8')));
const bytesOf = ({ text, base64 }: z.infer<typeof Vector>): Buffer =>
  text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text);

function told(path: string, bytes: Uint8Array) {
  const source = memory(bytes);
  const { kind, violations } = atOnce(identify(path, source));
  return {
    kind,
    read: source.total,
    found: violations.map(({ rule, severity }) => [rule, severity ?? RULES.get(rule)!.severity]),
    messages: violations.map(({ message }) => message),
  };
}

t.test('vectors', async (t) => {
  for (const vector of vectors) {
    const { kind, found, messages } = told(vector.path, bytesOf(vector));
    t.equal(kind, vector.kind, `${vector.name}: kind`);
    t.strictSame(found.sort(), vector.expect.sort(), `${vector.name}: ${messages.join('; ')}`);
  }
});

t.test('every rule about files beside the weights has a vector', async (t) => {
  const seen = new Set(vectors.flatMap(({ expect }) => expect.map(([rule]) => rule)));
  for (const rule of ['file/program', 'file/runs-code', 'file/opaque', 'file/json'] satisfies RuleId[])
    t.ok(seen.has(rule), rule);
});

t.test('what a pickle calls is named, whatever it is packed in', async (t) => {
  for (const name of ['pickle-system', 'pickle-zip', 'pickle-npz', 'pickle-in-nemo', 'pickle-gzip']) {
    const vector = vectors.find((one) => one.name === name)!;
    t.match(told(vector.path, bytesOf(vector)).messages[0], /imports "(posix|os|nt) system"/, name);
  }
});

const MUTANTS = Number(process.env.STEELYARD_MUTANTS ?? 10_000);

t.test('no bytes throw, read outside of the file or make it harmless by failing', async (t) => {
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  let escaped = 0;
  for (let i = 0; i < MUTANTS; i++) {
    const vector = vectors[random(vectors.length)]!;
    const bytes = Buffer.from(bytesOf(vector));
    for (let k = 0; k <= random(4); k++) if (bytes.length > 0) bytes[random(bytes.length)] = random(256);
    const cut = random(4) === 0 ? bytes.subarray(0, random(bytes.length + 1)) : bytes;
    try {
      told(vector.path, cut);
    } catch (error) {
      escaped++;
      t.fail(`${vector.name}: ${error}`, { bytes: cut.toString('hex') });
      if (escaped > 5) break;
    }
  }
  t.equal(escaped, 0);
});

t.test('what is read grows with the file and no faster', async (t) => {
  const pickle = (items: number): Buffer =>
    Buffer.concat([
      Buffer.from('\x80\x02](', 'latin1'),
      Buffer.alloc(items, 'K\x01', 'latin1'),
      Buffer.from('e.'),
    ]);
  const [one, two] = [pickle(100_000), pickle(200_000)].map((bytes) => told('x.pkl', bytes).read);
  t.ok(two! < 2.5 * one!, `${one} and ${two} bytes`);
});

t.test('a bomb is not unpacked', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'bomb.npz');
  const script = [
    'import sys, zipfile',
    "z = zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED)",
    "[z.writestr('a%d.npy' % i, b'\\0' * 30_000_000) for i in range(4)]; z.close()",
  ].join('\n');
  try {
    execFileSync('python3', ['-c', script, path]);
  } catch {
    t.comment('SKIPPED, no python3: the bomb was not made');
    return;
  }
  const before = process.memoryUsage().arrayBuffers;
  const { found } = told(path, readFileSync(path));
  t.same(found, [['file/pickle', 'medium']], 'it cannot be followed to its end');
  t.ok(process.memoryUsage().arrayBuffers - before < 100e6);
});

t.test('every kind has words and a role', async (t) => {
  t.equal(kindWords('pytorch'), 'a pickle in an archive, as PyTorch writes it');
  t.equal(roleOf('sentencepiece'), 'data');
});
