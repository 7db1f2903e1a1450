// The little XML that S3 answers with. No parser for all of XML: documents with a DOCTYPE, a processing instruction or a comment
// are refused, and of the rest only elements that hold text are taken.
import { SteelyardError } from '../../rules/error.ts';

interface ListedObject {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
}

interface Page {
  readonly objects: readonly ListedObject[];
  /** null: there is no more. */
  readonly next: string | null;
}

/** ListObjectsV2's answer. Throws NETWORK. */
export function readListing(text: string): Page {
  const body =
    /^\s*(?:<\?xml[^<>]*\?>)?\s*<ListBucketResult(?:\s[^<>]*)?>([\s\S]*)<\/ListBucketResult>\s*$/.exec(
      text,
    )?.[1];
  if (body === undefined || /<[!?]/.test(body)) throw odd();
  const objects = elements(body, 'Contents').map((content) => {
    const [key, size, etag] = [readTag(content, 'Key'), readTag(content, 'Size'), readTag(content, 'ETag')];
    if (key === null || size === null || !/^\d{1,16}$/.test(size)) throw odd();
    return { key, size: Number(size), etag: etag ?? '' };
  });
  const rest =
    elements(body, 'Contents').length === 0 ? body : body.replaceAll(/<Contents>[\s\S]*?<\/Contents>/g, '');
  const truncated = readTag(rest, 'IsTruncated');
  const next = readTag(rest, 'NextContinuationToken');
  // A list that says there is more and not where is not the whole list.
  if (truncated === 'true' && next === null) throw odd();
  return { objects, next: truncated === 'true' ? next : null };
}

/** The text of the one element of that name; null: there is none, or more than one, or it holds elements. */
export function readTag(text: string, tag: string): string | null {
  const [found, ...more] = elements(text, tag);
  if (found === undefined || more.length > 0 || found.includes('<')) return null;
  return unescaped(found);
}

/** What stands between `<tag>` and `</tag>`, each time. By hand: an expression would look for an end again from every beginning. */
function elements(text: string, tag: string): string[] {
  const found: string[] = [];
  for (let at = 0; ; ) {
    const start = text.indexOf(`<${tag}>`, at);
    if (start < 0) return found;
    const end = text.indexOf(`</${tag}>`, start);
    if (end < 0) throw odd();
    found.push(text.slice(start + tag.length + 2, end));
    at = end;
  }
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(\w{1,8}));?/g, (all, hex, decimal, name) => {
    if (name !== undefined && NAMED[name] !== undefined && all.endsWith(';')) return NAMED[name];
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    if (!all.endsWith(';') || !(code > 0 && code <= 0x10ffff)) throw odd();
    return String.fromCodePoint(code);
  });
}

const odd = (): SteelyardError =>
  new SteelyardError('NETWORK', 'the bucket answers with XML that is no listing', { errno: 'HTTP_4' });
