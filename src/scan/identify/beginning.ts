// The kind of a file by how it begins, where nothing has to be followed: magics, and formats without one by their first fields.
import type { Kind } from './kind.ts';

/** null: no format that is known by its beginning. `head`: the first bytes, 64 KiB of them where there are so many. */
export function kindByStart(head: Buffer): Kind | null {
  for (const [kind, magics] of MAGICS) if (magics.some((magic) => startsWith(head, magic))) return kind;
  if (isMedia(head)) return 'media';
  if (head.toString('latin1', 4, 8) === 'TFL3') return 'tflite';
  // Since Python 3.0 the magic number is two bytes and then CR LF; 3000 to 3699 so far.
  if (head.toString('latin1', 2, 4) === '\r\n' && head.length >= 16) {
    const magic = head.readUInt16LE(0);
    if (magic >= 3000 && magic < 4000) return 'bytecode';
  }
  return protobufKind(head);
}

const startsWith = (head: Buffer, magic: string): boolean =>
  head.toString('latin1', 0, magic.length) === magic;

const MAGICS: readonly (readonly [Kind, readonly string[]])[] = [
  [
    'program',
    [
      '\x7fELF',
      ...[
        '\xcf\xfa\xed\xfe',
        '\xce\xfa\xed\xfe',
        '\xfe\xed\xfa\xcf',
        '\xfe\xed\xfa\xce',
        '\xca\xfe\xba\xbe',
        '\xbe\xba\xfe\xca',
      ],
      '\0asm',
      'MZ',
      '!<arch>\n',
      'dex\n',
    ],
  ],
  ['hdf5', ['\x89HDF\r\n\x1a\n']],
  ['numpy', ['\x93NUMPY']],
  ['database', ['SQLite format 3\0', 'PAR1', 'ARROW1']],
  [
    'archive',
    [
      '7z\xbc\xaf\x27\x1c',
      'Rar!\x1a\x07',
      'MSCF',
      '\x28\xb5\x2f\xfd',
      '\xfd7zXZ\0',
      'BZh',
      '\x04\x22\x4d\x18',
    ],
  ],
  [
    'image',
    ['\x89PNG\r\n\x1a\n', '\xff\xd8\xff', 'GIF87a', 'GIF89a', 'BM', 'II*\0', 'MM\0*', '\0\0\x01\0', '8BPS'],
  ],
  [
    'media',
    ['%PDF-', 'OggS', 'ID3', 'fLaC', '\xff\xfb', '\x1aE\xdf\xa3', 'wOF2', 'wOFF', 'OTTO', '\0\x01\0\0\0'],
  ],
];

/** RIFF is WebP, WAV or AVI; ISO media have their type at 4. */
const isMedia = (head: Buffer): boolean =>
  startsWith(head, 'RIFF') || head.toString('latin1', 4, 8) === 'ftyp';

/** Formats in protocol buffers have no magic; their first fields are enough to tell them. */
function protobufKind(head: Buffer): Kind | null {
  const fields = fieldsOf(head, 8);
  const numbers = fields.map(({ number }) => number).join(' ');
  const [first] = fields;
  if (first === undefined) return null;
  // ModelProto of SentencePiece: pieces first, each a text, a score and perhaps a type.
  if (first.number === 1 && first.body !== null) {
    const inner = fieldsOf(first.body, 3);
    const piece =
      inner[0]?.number === 1 && inner[0].body !== null && inner[1]?.number === 2 && inner[1].wire === 5;
    return piece && numbers.startsWith('1 1') ? 'sentencepiece' : graphKind(first.body);
  }
  // ModelProto of ONNX: the version of its format, then the producer or the graph. SavedModel: 1, then a graph.
  if (first.number !== 1 || first.wire !== 0 || first.value > 100) return null;
  const second = fields[1];
  if (second?.number === 2 && second.body !== null && head.includes('\n\x05serve', 0, 'latin1'))
    return 'tensorflow';
  return second !== undefined && second.number >= 2 && second.number <= 8 ? 'onnx' : null;
}

/** GraphDef: nodes with a name and an operation. */
function graphKind(node: Buffer): Kind | null {
  const [name, op] = fieldsOf(node, 2);
  const isNode = name?.number === 1 && name.body !== null && op?.number === 2 && op.body !== null;
  return isNode && /^[A-Z]\w{1,60}$/.test(op.body.toString('latin1')) ? 'tensorflow' : null;
}

interface Field {
  readonly number: number;
  readonly wire: number;
  readonly value: number;
  readonly body: Buffer | null;
}

/** The first fields of a message, as far as they are whole; none where the bytes are no message. */
function fieldsOf(bytes: Buffer, most: number): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let i = 0; i < 9; i++) {
      const byte = bytes[at++];
      if (byte === undefined) return Number.NaN;
      value += (byte & 0x7f) * 128 ** i;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  };
  while (at < bytes.length && fields.length < most) {
    const tag = varint();
    const [number, wire] = [Math.floor(tag / 8), tag % 8];
    if (!(number >= 1 && number < 1000) || ![0, 1, 2, 5].includes(wire)) return fields;
    const value = wire === 0 || wire === 2 ? varint() : 0;
    if (Number.isNaN(value)) return fields;
    const size = wire === 2 ? value : wire === 1 ? 8 : wire === 5 ? 4 : 0;
    fields.push({ number, wire, value, body: wire === 2 ? bytes.subarray(at, at + size) : null });
    at += size;
  }
  return fields;
}
