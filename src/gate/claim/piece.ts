// The files of an evidence folder, sorted by what they look like. Names are free: a file's content says what form it has, and a
// signature decides later whether anything in it counts. What is read here of a file is a claim.
import { createHash } from 'node:crypto';
import { IN_TOTO } from '../../proof/sign/bundle/envelope.ts';
import type { Bundle } from '../../proof/sign/bundle/material.ts';
import { settled } from '../verdict/denial.ts';
import { bareEnvelope, readEnvelope } from './envelope.ts';
import { type Foreign, readForeign } from './foreign.ts';

export interface EvidenceFile {
  /** Relative to the release's folder. */
  readonly path: string;
  readonly bytes: Buffer;
  /** `sha256:…` over the bytes. */
  readonly digest: string;
}

/** Where something stands that counts: `line` is null unless the file has one document a line. */
export interface Source {
  readonly file: string;
  readonly line: number | null;
  /** Of the whole file. */
  readonly digest: string;
}

export interface StatementPiece {
  readonly form: 'statement';
  readonly source: Source;
  readonly bundle: Bundle;
  /** As the envelope says, before its signature is checked: for messages, never for a decision to trust. */
  readonly claims: string | null;
}

export interface DocumentPiece {
  readonly form: 'document';
  readonly source: Source;
  readonly bytes: Buffer;
  readonly document: Foreign;
  /** The signature over its bytes, if one lies beside it. */
  readonly signature: Buffer | null;
}

export interface LayoutPiece {
  readonly form: 'layout' | 'link';
  readonly source: Source;
  readonly bytes: Buffer;
}

/** `cosign download signature` of the form before bundles: payload and signature, the image's digest in the payload. */
export interface OldSignaturePiece {
  readonly form: 'old-signature';
  readonly source: Source;
  readonly payload: Buffer;
  readonly signature: Buffer;
  readonly keyless: boolean;
}

/** A manifest, an index or a configuration of an image: found by its digest alone. */
export interface ImagePiece {
  readonly form: 'image';
  readonly source: Source;
  readonly document: Foreign;
}

/** What decides nothing, and why. */
interface OtherPiece {
  readonly form: 'other';
  readonly source: Source;
  readonly reason: string;
}

export type Piece =
  | StatementPiece
  | DocumentPiece
  | LayoutPiece
  | OldSignaturePiece
  | ImagePiece
  | OtherPiece;

const SIGNATURE = '.sigstore.json';
/** Lines of one file; a hostile one could have millions. */
const MAX_LINES = 1000;

export const digestOf = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export const place = ({ file, line }: Source): string => (line === null ? file : `${file}:${line}`);

export function sortEvidence(files: readonly EvidenceFile[]): readonly Piece[] {
  const known = new Map(files.map((file) => [file.path, file]));
  return files.flatMap((file): readonly Piece[] => {
    const signed = file.path.endsWith(SIGNATURE) ? file.path.slice(0, -SIGNATURE.length) : null;
    if (signed !== null && known.has(signed)) return [];
    const whole: Source = { file: file.path, line: null, digest: file.digest };
    if (!file.path.endsWith('.jsonl'))
      return [sorted(file.bytes, whole, known.get(file.path + SIGNATURE)?.bytes ?? null)];
    const lines = linesOf(file.bytes);
    if (lines.length > MAX_LINES) return [other(whole, `it has more than ${MAX_LINES} lines`)];
    return lines.map(({ bytes, line }) => sorted(bytes, { ...whole, line }, null));
  });
}

export function linesOf(bytes: Buffer): { readonly bytes: Buffer; readonly line: number }[] {
  const lines: { bytes: Buffer; line: number }[] = [];
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const found = bytes.indexOf(0x0a, start);
    const end = found < 0 ? bytes.length : found;
    if (end > start) lines.push({ bytes: bytes.subarray(start, end), line });
    start = end + 1;
  }
  return lines;
}

const other = (source: Source, reason: string): OtherPiece => ({ form: 'other', source, reason });

function sorted(bytes: Buffer, source: Source, signature: Buffer | null): Piece {
  const read = settled(() => readForeign(bytes));
  if (read.denials !== undefined) return other(source, read.denials[0].message);
  const document = read.value;
  if (!document.isObject) return other(source, 'it is no JSON object');
  const has = (name: string): boolean => !document.get(name).absent;
  if (has('dsseEnvelope') || (has('payload') && has('payloadType') && has('signatures')))
    return enveloped(bytes, document, source);
  if (has('signed') && has('signatures')) return layoutPiece(bytes, document.get('signed'), source);
  if (has('Base64Signature') && has('Payload')) return oldSignature(document, source);
  if (isImage(document)) return { form: 'image', source, document };
  if (has('messageSignature')) return other(source, 'a signature without the document that it signs');
  return { form: 'document', source, bytes, document, signature };
}

function enveloped(bytes: Buffer, document: Foreign, source: Source): Piece {
  const bare = document.get('dsseEnvelope').absent;
  const read = settled(() => (bare ? bareEnvelope(document) : readEnvelope(bytes)));
  if (read.denials !== undefined) return other(source, read.denials[0].message);
  const bundle = read.value;
  if (bundle.content.kind !== 'envelope' || bundle.content.payloadType !== IN_TOTO)
    return other(source, 'the envelope holds no in-toto document');
  const { payload } = bundle.content;
  const inside = settled(() => readForeign(payload));
  const body = inside.value?.isObject ? inside.value : null;
  const type = body?.get('_type').value;
  // One payload type for both: the type inside decides (an attestation is no layout, whoever signed it).
  if (bare && (type === 'layout' || type === 'link')) return { form: type, source, bytes };
  const claims = body?.get('predicateType').value;
  return { form: 'statement', source, bundle, claims: typeof claims === 'string' ? claims : null };
}

function layoutPiece(bytes: Buffer, signed: Foreign, source: Source): Piece {
  const type = signed.isObject ? signed.get('_type').value : undefined;
  if (type === 'layout' || type === 'link') return { form: type, source, bytes };
  return other(source, 'signed metadata that is neither an in-toto layout nor a link');
}

function oldSignature(document: Foreign, source: Source): Piece {
  const read = settled(() => ({
    payload: base64(document.get('Payload')),
    signature: base64(document.get('Base64Signature')),
    keyless: !document.get('Cert').absent,
  }));
  if (read.denials !== undefined) return other(source, read.denials[0].message);
  return { form: 'old-signature', source, ...read.value };
}

/** In its one canonical spelling. */
export function base64(field: Foreign): Buffer {
  const text = field.text();
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : field.wrong('must be canonical base64');
}

/** An OCI or Docker manifest or index, or the configuration that a manifest names. */
function isImage(document: Foreign): boolean {
  const { value: version } = document.get('schemaVersion');
  if (version === 2)
    return Array.isArray(document.get('manifests').value) || Array.isArray(document.get('layers').value);
  return document.get('rootfs').isObject && typeof document.get('architecture').value === 'string';
}
