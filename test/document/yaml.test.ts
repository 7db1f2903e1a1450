// The door for documents in YAML: what is read, where it stands, and what is refused because readers differ over it.
import { test } from 'tap';
import { readYaml, type YamlOptions } from '../../src/document/yaml.ts';

const OPTIONS: YamlOptions = {
  size: 100_000,
  scalars: 'text',
  failure: (place, reason) => new Error(`${place}: ${reason}`),
};
const read = (text: string | Uint8Array, options: Partial<YamlOptions> = {}) =>
  readYaml(text, { ...OPTIONS, ...options });
const refused = (text: string | Uint8Array): string => {
  try {
    return `read: ${JSON.stringify(read(text).data)}`;
  } catch (error) {
    return (error as Error).message;
  }
};

test('what is read, and where it stands', (t) => {
  const all = (text: string): unknown => {
    const { data, placeOf } = read(text);
    return [data, placeOf([]), placeOf(['a', 'b'])];
  };
  t.same(all('# 100 %\na: {c: d}'), [{ a: { c: 'd' } }, '2:1', '2:4'], 'missing is missing in its parent');
  t.same(all('\na: {b: c}'), [{ a: { b: 'c' } }, '2:1', '2:8']);
  t.same(all('"x\n%YAML"'), ['x %YAML', '1:1', '1:1'], 'no directive, but text');
  t.same(all('\ufeff\na: {}'), [{ a: {} }, '2:1', '2:4'], 'a byte order mark');
  t.equal(read('a:\n  b: 1').placeOf(['a', 'b'], 'b'), '2:6');
  t.same(
    [...read('a:\n  b: 1\n  c: 2').linesOf('a')],
    [
      ['b', 2],
      ['c', 3],
    ],
  );
  t.end();
});

test('scalars are typed, or the text that stands there', (t) => {
  const text = 'a: 1.10\nb: null\nc: 0x10\nd: yes';
  t.same(read(text).data, { a: '1.10', b: 'null', c: '0x10', d: 'yes' });
  t.same(read(text, { scalars: 'typed' }).data, { a: 1.1, b: null, c: 16, d: 'yes' });
  t.end();
});

test('what two readers could read differently is refused, with its place', (t) => {
  for (const [text, wanted] of [
    ['a: &x 1', '1:7: no tags and no anchors: write the value plainly'],
    ['a: !!str 1', '1:10: no tags and no anchors: write the value plainly'],
    ['a: &x 1\nb: *x', '1:7: no tags and no anchors: write the value plainly'],
    ['a: 1\nb: 2\na: 3', '3:1: the key is there twice'],
    ['a: 1\n"a": 3', '2:1: the key is there twice'],
    ['a: {b: 1}\n<<: {c: 2}', '2:1: the key << is not allowed'],
    ['__proto__: 1', '1:1: the key __proto__ is not allowed'],
    ['a: 1\n---\nb: 2', '2:1: one document is read, not several'],
  ] as const)
    t.equal(refused(text), wanted, text);
  for (const directive of [
    '%YAML 1.1\n---\na: b',
    '# x\n%YAML 1.1\n---\na: b',
    '%TAG ! tag:x,2026:\n---\na: b',
  ])
    for (const marked of [
      directive,
      `\ufeff${directive}`,
      directive.replace('%', '\ufeff%'),
      `\ufeff${directive.replace('%', '\ufeff%')}`,
    ])
      t.equal(refused(Buffer.from(marked)), '1:1: no directives', JSON.stringify(marked));
  t.match(refused(Buffer.from([0x61, 0x3a, 0x20, 0xff])), 'null: not UTF-8');
  t.end();
});

test('limits: size and depth', (t) => {
  t.match(refused('a'.repeat(100_000)), /^read/);
  t.equal(refused('a'.repeat(100_001)), 'null: larger than 100000 bytes');
  t.match(refused(`${'['.repeat(64)}${']'.repeat(64)}`), /^read/);
  for (const deep of ['['.repeat(65), '{'.repeat(65), '- '.repeat(65)])
    t.equal(refused(deep), 'null: nested deeper than 64 levels');
  t.end();
});
