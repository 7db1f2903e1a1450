// DSSE: what exactly is signed (secure-systems-lab/dsse protocol.md, v1.0).

export const IN_TOTO = 'application/vnd.in-toto+json';

/** Pre-authentication encoding: type and payload with their lengths, so that neither can be taken for the other. */
export function encode(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType);
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.length} `),
    type,
    Buffer.from(` ${payload.length} `),
    payload,
  ]);
}

/**
 * What model-signing 0.2.0 signed instead: its name in capitals, and the payload as Python prints bytes. Such signatures
 * are in use. Only statements of that version are accepted in this encoding: see signature.ts.
 */
export function encodeLegacy(payloadType: string, payload: Uint8Array): Buffer {
  const head = Buffer.from(`DSSEV1 ${payloadType.length} ${payloadType} ${payload.length} `);
  return Buffer.concat([head, pythonRepr(payload)]);
}

// repr(bytes) of CPython: single quotes unless only those occur in the bytes. Nothing is proven yet of what is encoded here,
// and it may be long: two walks over the bytes, and no strings.
function pythonRepr(bytes: Uint8Array): Buffer {
  const quote = bytes.includes(0x27) && !bytes.includes(0x22) ? 0x22 : 0x27;
  let size = 3;
  for (const byte of bytes) size += sizeOf(byte, quote);
  const out = Buffer.allocUnsafe(size);
  out[0] = 0x62;
  out[1] = quote;
  let at = 2;
  for (const byte of bytes) {
    const length = sizeOf(byte, quote);
    if (length === 1) out[at++] = byte;
    else {
      const text =
        length === 4
          ? `\\x${byte.toString(16).padStart(2, '0')}`
          : (ESCAPES.get(byte) ?? `\\${String.fromCharCode(byte)}`);
      at += out.write(text, at, 'latin1');
    }
  }
  out[at] = quote;
  return out;
}

function sizeOf(byte: number, quote: number): 1 | 2 | 4 {
  if (byte === quote || byte === 0x5c || ESCAPES.has(byte)) return 2;
  return byte < 0x20 || byte > 0x7e ? 4 : 1;
}

const ESCAPES = new Map([
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
]);
