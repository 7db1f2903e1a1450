// One flipped bit in any place of any file of a release never promotes, but where the file decides nothing: then the verdict says so.
// STEELYARD_LONG=1 tries every byte; `node out/test/gate/every-byte.test.js 3/8` then tries the third eighth of them.
import t from 'tap';
import { digestOf } from '../../src/gate/claim/piece.ts';
import { judge, type World, world } from './specimen/release.ts';

t.setTimeout(3_600_000);

const LONG = process.env.STEELYARD_LONG === '1';
const [part, parts] = (process.argv[2]?.split('/') ?? ['1', '1']).map(Number) as [number, number];
const STEP = (LONG ? 1 : 97) * parts;

interface Target {
  readonly path: string;
  readonly bytes: Buffer;
  /** Puts other bytes in the place of its own. */
  readonly put: (bytes: Buffer) => void;
}

function targets({ release }: World): Target[] {
  const files = [...release.evidence, release.mbom].map((file) => ({
    path: file.path,
    bytes: file.bytes,
    put: (bytes: Buffer) => void Object.assign(file, { bytes, digest: digestOf(bytes) }),
  }));
  const signatures = (['mbomSignature', 'modelSignature'] as const).map((name) => ({
    path: name,
    bytes: release[name]!,
    put: (bytes: Buffer) => void Object.assign(release, { [name]: bytes }),
  }));
  return [...files, ...signatures];
}

/** The index names the platform of each manifest, so a configuration says nothing more; arm64 is not promoted here. */
const IDLE = new Set(
  ['config-amd64', 'config-arm64', 'manifest-arm64'].map((name) => `evidence/image/${name}.json`),
);

t.test('one flipped bit anywhere: never a promotion', (t) => {
  const made = world();
  t.equal(judge(made).outcome, 'promote', 'as it is');
  const all = targets(made);
  t.equal(all.length, made.release.evidence.length + 3);
  const promoted: string[] = [];
  const idle = new Set<string>();
  let tried = 0;
  for (const [index, { path, bytes, put }] of all.entries()) {
    for (let at = (index + part - 1) % STEP; at < bytes.length; at += STEP) {
      const copy = Buffer.from(bytes);
      copy[at] = copy[at]! ^ (1 << (at % 8));
      put(copy);
      const verdict = judge(made);
      tried++;
      if (verdict.outcome !== 'promote') continue;
      if (verdict.unused.some(({ file }) => file === path)) idle.add(path);
      else if (!harmless(bytes, copy)) promoted.push(`${path}:${at}`);
    }
    put(bytes);
  }
  t.same(promoted, []);
  t.same(
    [...idle].filter((path) => !IDLE.has(path)),
    [],
    'no file that counts decides nothing',
  );
  t.comment(`${tried} flips; decide nothing: ${[...idle].join(', ')}`);
  t.end();
});

/** The same JSON but for what is a hint by its format: the name of a key, which proves nothing. */
function harmless(before: Buffer, after: Buffer): boolean {
  const plain = (bytes: Buffer): string => {
    const text = bytes.toString('utf8');
    return JSON.stringify(JSON.parse(text), (key, value) => (key === 'keyid' ? '' : value));
  };
  try {
    return plain(before) === plain(after);
  } catch {
    return false;
  }
}
