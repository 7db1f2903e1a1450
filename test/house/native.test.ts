// native/ has rooms too: a folder includes only from its own and the ones before it, and only the boundary knows JavaScript.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot, treeOf } from './house.ts';

const ROOMS = ['bytes', 'digest', 'record', 'counts', 'pass', 'difference', 'adapter', 'addon.cc', 'test'];
/** Bytes and digests are about bytes: they know no dtype, no value and no tensor. */
const KNOWS_NOTHING = ['bytes', 'digest'];

const files = treeOf('native')
  .files.filter((path) => /\.(cc|h)$/.test(path))
  .map((path) => path.slice('native/'.length));
const text = (path: string): string => readFileSync(join(packageRoot, 'native', path), 'utf8');
const includesOf = (path: string): string[] =>
  [...text(path).matchAll(/^#include "([^"]+)"/gm)].map(([, included]) => included!);
const roomOf = (path: string): string => path.split('/')[0]!;

t.test('includes go one way', (t) => {
  t.ok(files.length > 60, 'found the sources');
  for (const path of files) {
    t.ok(ROOMS.includes(roomOf(path)), `${path} stands in a room`);
    for (const included of includesOf(path).filter((one) => one.includes('/'))) {
      t.ok(files.includes(included), `${path} includes ${included}`);
      t.ok(
        ROOMS.indexOf(roomOf(included)) <= ROOMS.indexOf(roomOf(path)),
        `${path} includes from before it: ${included}`,
      );
      if (KNOWS_NOTHING.includes(roomOf(path)))
        t.equal(roomOf(included), roomOf(path), `${path} includes only its own room: ${included}`);
    }
  }
  t.end();
});

t.test('only the boundary knows JavaScript', (t) => {
  for (const path of files.filter((one) => one !== 'addon.cc')) t.notMatch(text(path), /napi|Napi/, path);
  t.end();
});
