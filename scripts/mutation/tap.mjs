// tap's assertions, as far as the tests of src/proof and src/gate use them, each test a test of mocha. What equal, alike and
// matching mean is decided by tap's own library.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { match, same } from 'tcompare';

function assert(passes, message, detail = '') {
  if (!passes) throw new Error(`${message ?? 'an assertion'} ${detail}`);
}

const thrownBy = (action) => {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};

const t = {
  ok: (value, message) => assert(value, message),
  notOk: (value, message) => assert(!value, message),
  equal: (value, wanted, message) => assert(Object.is(value, wanted), message, `${value} is not ${wanted}`),
  not: (value, unwanted, message) => assert(!Object.is(value, unwanted), message),
  same: (value, wanted, message) => {
    const { match, diff } = same(value, wanted);
    assert(match, message, diff);
  },
  match: (value, pattern, message) => matches(value, pattern, message),
  notMatch: (value, pattern, message) => assert(!match(value, pattern).match, message),
  throws: (action, wanted, message) => {
    const error = thrownBy(action);
    if (error instanceof Error) Object.defineProperty(error, 'name', { value: error.name, enumerable: true });
    if (typeof wanted === 'object')
      matches(wanted instanceof RegExp ? error.message : error, wanted, message);
  },
  rejects: async (promise, wanted, message) => {
    const error = await Promise.resolve(promise).then(
      () => undefined,
      (reason) => reason,
    );
    assert(error !== undefined, message, 'nothing was rejected');
    if (typeof wanted === 'object')
      matches(wanted instanceof RegExp ? error.message : error, wanted, message);
  },
  testdir: (tree) => {
    const folder = mkdtempSync(join(tmpdir(), 'mutant-'));
    plant(folder, tree);
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    return folder;
  },
  fixture: (type, content) => ({ [FIXTURE]: type, content }),
  setTimeout: () => undefined,
  pass: () => undefined,
  fail: (message) => assert(false, message),
  comment: () => undefined,
  end: () => undefined,
};

const FIXTURE = Symbol('fixture');

function plant(folder, tree) {
  for (const [name, value] of Object.entries(tree)) {
    const path = join(folder, name);
    if (typeof value === 'string' || Buffer.isBuffer(value)) writeFileSync(path, value);
    else if (value[FIXTURE] === 'symlink') symlinkSync(value.content, path);
    else {
      mkdirSync(path);
      plant(path, value);
    }
  }
}

function matches(value, pattern, message) {
  const { match: passes, diff } = match(value, pattern);
  assert(passes, message, diff);
}

/** `test(name, [options,] body)`. */
export function test(name, ...rest) {
  const body = rest.pop();
  const { skip } = rest[0] ?? {};
  if (skip) it.skip(name, () => undefined);
  else it(name, () => Promise.resolve(body(t)).then(() => undefined));
}

export default { ...t, test };
