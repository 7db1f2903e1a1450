// The extensions of an X.509 certificate that decide what its key may sign. Node tells extended key usage only, so the DER
// is walked here: only along the path that RFC 5280 §4.1 lays down, and out of bounds ends in null.

export interface Extensions {
  /** Hex of the OID of the algorithm that the certificate itself is signed with. */
  readonly algorithm: string;
  readonly ca: boolean;
  /** How many intermediate certificates may follow below; null: any number. */
  readonly pathLength: number | null;
  /** null: the certificate does not limit it. */
  readonly digitalSignature: boolean | null;
  readonly certSign: boolean | null;
  /** Whether its extended key usage allows to sign code; null: it does not limit it. */
  readonly codeSigning: boolean | null;
  /** It limits names below it, and names are not held against such limits here. */
  readonly nameConstraints: boolean;
  /** A critical extension that is not understood here: RFC 5280 §4.2 says to reject. */
  readonly unknownCritical: boolean;
}

/** null: not the DER of a certificate of version 3. */
export function readExtensions(der: Uint8Array): Extensions | null {
  try {
    return extensions(der);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

interface Element {
  readonly tag: number;
  readonly body: Uint8Array;
}

const [BOOLEAN, INTEGER, BITS, OID, SEQUENCE, VERSION_3] = [0x01, 0x02, 0x03, 0x06, 0x30, 0xa3];

// OIDs as the hex of their DER: 2.5.29.15, .19, .37, .17, .30, .37.0 and 1.3.6.1.5.5.7.3.3.
const KEY_USAGE = '551d0f';
const BASIC_CONSTRAINTS = '551d13';
const EXTENDED_KEY_USAGE = '551d25';
const SUBJECT_ALTERNATIVE_NAME = '551d11';
const NAME_CONSTRAINTS = '551d1e';
const ANY_USAGE = '551d2500';
const CODE_SIGNING = '2b06010505070303';

function extensions(der: Uint8Array): Extensions {
  const [certificate] = elements(der);
  const [body, algorithm] = elements(expected(certificate, SEQUENCE));
  const fields = elements(expected(body, SEQUENCE));
  const list = fields.find(({ tag }) => tag === VERSION_3);
  const found = {
    algorithm: hex(expected(elements(expected(algorithm, SEQUENCE))[0], OID)),
    ca: false,
    pathLength: null as number | null,
    digitalSignature: null as boolean | null,
    certSign: null as boolean | null,
    codeSigning: null as boolean | null,
    nameConstraints: false,
    unknownCritical: false,
  };
  if (list === undefined) return found;
  for (const extension of elements(expected(elements(list.body)[0], SEQUENCE))) {
    const parts = elements(expected(extension, SEQUENCE));
    const oid = hex(expected(parts[0], OID));
    const critical = parts[1]?.tag === BOOLEAN && parts[1].body[0] !== 0;
    const [value] = elements(parts.at(-1)!.body);
    if (oid === BASIC_CONSTRAINTS) {
      const [ca, length] = elements(expected(value, SEQUENCE));
      found.ca = ca?.tag === BOOLEAN && ca.body[0] !== 0;
      // An empty integer is no number, and NaN would compare as no limit.
      if (length !== undefined) found.pathLength = Number(`0x${hex(expected(length, INTEGER)) || '0'}`);
    } else if (oid === KEY_USAGE) {
      const bits = expected(value, BITS)[1] ?? 0;
      found.digitalSignature = (bits & 0x80) !== 0;
      found.certSign = (bits & 0x04) !== 0;
    } else if (oid === EXTENDED_KEY_USAGE) {
      found.codeSigning = elements(expected(value, SEQUENCE)).some((usage) =>
        [CODE_SIGNING, ANY_USAGE].includes(hex(usage.body)),
      );
    } else if (oid === NAME_CONSTRAINTS) found.nameConstraints = true;
    else if (critical && oid !== SUBJECT_ALTERNATIVE_NAME) found.unknownCritical = true;
  }
  return found;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function expected(element: Element | undefined, tag: number): Uint8Array {
  if (element?.tag !== tag) throw new RangeError('another element is expected');
  return element.body;
}

/** The elements one after the other in `bytes`: tag, definite length, body. */
function elements(bytes: Uint8Array): Element[] {
  const list: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at]!;
    let size = bytes[at + 1] ?? Number.NaN;
    let start = at + 2;
    if (size >= 0x80) {
      // An indefinite length, 0x80, is no DER: no digits are no number.
      const count = size - 0x80;
      size = Number.parseInt(hex(bytes.subarray(start, start + count)), 16);
      start += count;
    }
    const end = start + size;
    if (!(end <= bytes.length)) throw new RangeError('an element is cut short');
    list.push({ tag, body: bytes.subarray(start, end) });
    at = end;
  }
  return list;
}
