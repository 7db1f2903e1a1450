// What is read of a certificate, from DER that is written here element by element.
import { test } from 'tap';
import { type Extensions, readExtensions } from '../../../src/proof/sign/signer/extension.ts';

/** An element: tag, length as short as can be, the parts one after the other. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const length = body.length < 0x80 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const bytes = (...list: readonly number[]): Buffer => Buffer.from(list);
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const boolean = (value: number): Buffer => der(0x01, bytes(value));
const integer = (...list: readonly number[]): Buffer => der(0x02, bytes(...list));
const ALGORITHM = '2a8648ce3d040302';

/** A certificate as far as it is looked at: serial number, maybe extensions; algorithm; signature. */
const certificate = (...extensions: readonly Uint8Array[]): Buffer =>
  sequence(
    sequence(integer(1), ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))])),
    sequence(oid(ALGORITHM)),
    der(0x03, bytes(0, 1, 2)),
  );
/** An extension; `critical`: the byte of its BOOLEAN. */
const extension = (id: string, value: Uint8Array, critical?: number): Buffer =>
  sequence(oid(id), ...(critical === undefined ? [] : [boolean(critical)]), der(0x04, value));
const read = (...list: readonly Uint8Array[]): Extensions | null => readExtensions(certificate(...list));

const [CONSTRAINTS, USAGE, EXTENDED, NAME] = ['551d13', '551d0f', '551d25', '551d11'];
const [CODE_SIGNING, SERVER] = ['2b06010505070303', '2b06010505070301'];
const NOTHING: Extensions = {
  algorithm: ALGORITHM,
  ca: false,
  pathLength: null,
  digitalSignature: null,
  certSign: null,
  codeSigning: null,
  nameConstraints: false,
  unknownCritical: false,
};

test('one extension after the other', (t) => {
  const cases: [string, Buffer[], Partial<Extensions>][] = [
    ['none', [], {}],
    ['no authority', [extension(CONSTRAINTS, sequence())], {}],
    ['FALSE, spelled out', [extension(CONSTRAINTS, sequence(boolean(0)))], {}],
    ['a number where the BOOLEAN is due', [extension(CONSTRAINTS, sequence(integer(1)))], {}],
    ['an authority', [extension(CONSTRAINTS, sequence(boolean(0xff)), 0xff)], { ca: true }],
    ['with a limit', [extension(CONSTRAINTS, sequence(boolean(1), integer(3)))], { ca: true, pathLength: 3 }],
    [
      'a long one',
      [extension(CONSTRAINTS, sequence(boolean(1), integer(1, 0)))],
      { ca: true, pathLength: 256 },
    ],
    ['an empty one', [extension(CONSTRAINTS, sequence(boolean(1), integer()))], { ca: true, pathLength: 0 }],
    ['signatures', [extension(USAGE, der(3, bytes(7, 0x80)))], { digitalSignature: true, certSign: false }],
    ['certificates', [extension(USAGE, der(3, bytes(2, 0x04)))], { digitalSignature: false, certSign: true }],
    [
      'all but both',
      [extension(USAGE, der(3, bytes(0, 0x7b)))],
      { digitalSignature: false, certSign: false },
    ],
    ['no bits', [extension(USAGE, der(3, bytes(0)))], { digitalSignature: false, certSign: false }],
    [
      'code, among others',
      [extension(EXTENDED, sequence(oid(SERVER), oid(CODE_SIGNING)))],
      { codeSigning: true },
    ],
    ['not code', [extension(EXTENDED, sequence(oid(SERVER)))], { codeSigning: false }],
    ['a critical name', [extension(NAME, sequence(), 0xff)], {}],
    ['unknown', [extension('2a03', sequence())], {}],
    ['unknown, and not critical', [extension('2a03', sequence(), 0)], {}],
    ['unknown and critical', [extension('2a03', sequence(), 1)], { unknownCritical: true }],
    ['nothing but a name', [sequence(oid('0500'))], {}],
    [
      'a long one before it',
      [extension('2a03', der(4, Buffer.alloc(300))), extension(CONSTRAINTS, sequence(boolean(1)))],
      { ca: true },
    ],
  ];
  for (const [name, extensions, found] of cases) t.same(read(...extensions), { ...NOTHING, ...found }, name);
  t.end();
});

test('what is no certificate', (t) => {
  const whole = certificate(extension(CONSTRAINTS, sequence(boolean(1), integer(3))));
  for (let length = 0; length < whole.length; length++)
    if (readExtensions(whole.subarray(0, length)) !== null) t.fail(`cut short at ${length}`);
  // Its length is said to be indefinite, and 0x80 is how long it is as well.
  const inside = Buffer.concat([sequence(integer(1)), sequence(oid(ALGORITHM))]);
  const filled = Buffer.concat([inside, der(0x03, Buffer.alloc(128 - 2 - inside.length))]);
  const indefinite = Buffer.concat([bytes(0x30, 0x80), filled]);
  t.ok(readExtensions(sequence(filled)), 'in the long form of the length it is one');
  const cases: [string, Buffer][] = [
    ['something follows', Buffer.concat([whole, bytes(0x30)])],
    ['no length', bytes(0x30)],
    ['an indefinite length', indefinite],
    ['a set', der(0x31, whole.subarray(2))],
    ['no algorithm', sequence(sequence(integer(1)), sequence())],
    ['an algorithm of another type', sequence(sequence(integer(1)), sequence(integer(1)))],
    ['extensions that are no list', sequence(sequence(der(0xa3)), sequence(oid(ALGORITHM)))],
    ['a usage that is no bits', certificate(extension(USAGE, integer(0, 0x84)))],
    ['a limit that is no number', certificate(extension(CONSTRAINTS, sequence(boolean(1), boolean(3))))],
    ['a value that is none', certificate(extension(CONSTRAINTS, bytes()))],
  ];
  for (const [name, bytes] of cases) t.equal(readExtensions(bytes), null, name);
  t.throws(
    () => readExtensions(null as never),
    { name: 'TypeError' },
    'a fault of ours is no fault of theirs',
  );
  t.end();
});
