// Headers that decide what is read next. Each is foreign text with a small grammar of its own; what does not fit it is null, and
// the caller refuses or does without.

/** `bytes 0-99/1234` (RFC 9110, 14.4); `end` exclusive. `total` null: `*`. */
interface ContentRange {
  readonly start: number;
  readonly end: number;
  readonly total: number | null;
}

export function contentRange(text: string | undefined): ContentRange | null {
  const [, first, last, all] = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/i.exec(text ?? '') ?? [];
  if (first === undefined || last === undefined) return null;
  const [start, end] = [Number(first), Number(last) + 1];
  const total = all === '*' ? null : Number(all);
  if (![start, end, total ?? 0].every(Number.isSafeInteger)) return null;
  return start < end && (total === null || end <= total) ? { start, end, total } : null;
}

/** A length that can be believed as far as it goes. null: none, or none that is one. */
export function contentLength(text: string | undefined): number | null {
  const size = /^\d{1,16}$/.test(text ?? '') ? Number(text) : Number.NaN;
  return Number.isSafeInteger(size) ? size : null;
}

const MAX_LINK = 65_536;

/** The target of `rel="next"` (RFC 8288); null: there is none. */
export function nextLink(text: string | undefined): string | null {
  if (text === undefined || text.length > MAX_LINK) return null;
  for (let at = 0; at < text.length; ) {
    const open = text.indexOf('<', at);
    const close = open < 0 ? -1 : text.indexOf('>', open);
    if (close < 0) return null;
    const end = endOfParameters(text, close + 1);
    if (/;\s*rel\s*=\s*(?:"(?:[^"]* )?next(?: [^"]*)?"|next(?=\s*(?:;|$)))/i.test(text.slice(close + 1, end)))
      return text.slice(open + 1, close);
    at = end + 1;
  }
  return null;
}

/** The comma that ends a link's parameters; those in quotes do not. */
function endOfParameters(text: string, from: number): number {
  let quoted = false;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (quoted && character === '\\') at++;
    else if (character === '"') quoted = !quoted;
    else if (character === ',' && !quoted) return at;
  }
  return text.length;
}

const LONGEST_WAIT = 300; // seconds

/** Seconds to wait: `Retry-After: 7` or a date, `RateLimit: "api";r=0;t=55` (IETF draft). null: nothing is said. */
export function retryAfter(
  headers: Readonly<Record<string, string | undefined>>,
  now: number,
): number | null {
  const [, t] = /(?:^|[;,\s])t=(\d{1,6})(?=$|[;,\s])/.exec(headers.ratelimit?.slice(0, 1000) ?? '') ?? [];
  const after = headers['retry-after'] ?? t;
  if (after === undefined) return null;
  const seconds = /^\d{1,6}$/.test(after) ? Number(after) : (Date.parse(after.slice(0, 40)) - now) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), LONGEST_WAIT) : null;
}

/** One challenge of WWW-Authenticate: `Bearer realm="…",service="…"` (RFC 9110, 11.6.1). */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const MAX_CHALLENGE = 4096;
const PARAMETER = /([A-Za-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,\s*|$)/y;

/** The first challenge; null: none that can be read. A parameter twice is none: readers differ in which they take. */
export function challenge(text: string | undefined): Challenge | null {
  if (text === undefined || text.length > MAX_CHALLENGE) return null;
  const [start, scheme] = /^\s*([A-Za-z][\w-]*)(?:\s+|$)/.exec(text) ?? [];
  if (start === undefined || scheme === undefined) return null;
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = start.length;
  while (PARAMETER.lastIndex < text.length) {
    const at = PARAMETER.lastIndex;
    const match = PARAMETER.exec(text);
    if (match === null || match.index !== at) return null;
    const name = match[1]!.toLowerCase();
    if (parameters.has(name)) return null;
    parameters.set(name, match[2]?.replace(/\\(.)/g, '$1') ?? match[3]!);
  }
  return { scheme: scheme.toLowerCase(), parameters };
}

/** A weak one (`W/`) is the same for files that differ. */
export const strongTag = ({ etag }: Readonly<Record<string, string | undefined>>): string | null =>
  etag !== undefined && /^"[\x21\x23-\x7e]{1,512}"$/.test(etag) ? etag : null;
