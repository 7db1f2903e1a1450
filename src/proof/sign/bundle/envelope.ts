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
  return Buffer.from(`DSSEV1 ${payloadType.length} ${payloadType} ${payload.length} ${pythonRepr(payload)}`);
}

// repr(bytes) of CPython: single quotes unless only those occur in the bytes.
function pythonRepr(bytes: Uint8Array): string {
  const quote = bytes.includes(0x27) && !bytes.includes(0x22) ? '"' : "'";
  const text = Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    if (character === quote || character === '\\') return `\\${character}`;
    const known = ESCAPES.get(byte);
    if (known !== undefined) return known;
    return byte < 0x20 || byte > 0x7e ? `\\x${byte.toString(16).padStart(2, '0')}` : character;
  });
  return `b${quote}${text.join('')}${quote}`;
}

const ESCAPES = new Map([
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
]);
