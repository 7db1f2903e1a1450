// Bytes that are written as text: long runs of base64 or hexadecimal digits.

interface Encoded {
  readonly how: 'base64' | 'hexadecimal';
  readonly bytes: Buffer;
  /** Not worth a word for itself: a preview as ModelSpec stores it, or one character over and over. */
  readonly plain: boolean;
}

/** The first few runs of a text, decoded. */
export function encodedIn(text: string): Encoded[] {
  if (text.length < LEAST) return [];
  // Encoders break lines at 64 or 76 characters, and JSON inside of JSON writes a break as two.
  const joined = text.replace(/[\r\n]|\\[rn]/g, '');
  const found: Encoded[] = [];
  let start = 0;
  for (let at = 0; at <= joined.length && found.length < RUNS; at++) {
    if (at < joined.length && isDigit(joined.charCodeAt(at))) continue;
    if (at - start >= LEAST) found.push(decoded(joined, start, Math.min(at, start + LONGEST)));
    start = at + 1;
  }
  return found;
}

function decoded(text: string, start: number, end: number): Encoded {
  const run = text.slice(start, end);
  const how = HEX.test(run) ? 'hexadecimal' : 'base64';
  const bytes = Buffer.from(run, how === 'base64' ? 'base64' : 'hex');
  const announced = IMAGE.test(text.slice(Math.max(0, start - 40), start));
  return { how, bytes, plain: isMonotonous(run) || (announced && isImage(bytes)) };
}

const LEAST = 1024; // keys, signatures and digests are shorter
const LONGEST = 1_398_104; // 1 MiB decoded
const RUNS = 16;
const HEX = /^[0-9A-Fa-f]+$/;
const IMAGE = /data:image\/[a-z]{3,4};base64,$/;

/** Of base64, in both of its alphabets. Not a regular expression: those that count overflow the stack on long runs. */
const isDigit = (c: number): boolean =>
  (c >= 0x61 && c <= 0x7a) ||
  (c >= 0x41 && c <= 0x5a) ||
  (c >= 0x2f && c <= 0x39) ||
  c === 0x2b ||
  c === 0x2d ||
  c === 0x5f;

/** A rule of dashes, or a row of one letter, is encoded by its alphabet only. */
const isMonotonous = (run: string): boolean => new Set(run.slice(0, LEAST)).size < 8;

function isImage(bytes: Buffer): boolean {
  const head = bytes.toString('latin1', 0, 12);
  return head.startsWith('\x89PNG') || head.startsWith('\xff\xd8\xff') || /^(GIF8|RIFF....WEBP)/s.test(head);
}
