// Where an answer leads: every host in a text, however it is spelled. Chat clients link bare names, people retype "dot", and a
// Markdown image is fetched without a click: its query carries whatever the model was told.
import { parse } from 'tldts';
import { skeletonOf } from '../../scan/inspect/names/confusables.ts';

interface Link {
  /** Lower case, in ASCII (punycode); of what has no host, the scheme: `data:`. */
  readonly host: string;
  /** As it stands in the answer, cut. */
  readonly raw: string;
  /** Fetched when the answer is shown. */
  readonly image: boolean;
  /** A host that is made to look like another one. */
  readonly disguised: boolean;
}

const MOST = 200;
const SHOWN = 80;

/** All links of a text, one for each host and spelling. */
export function linksOf(text: string): Link[] {
  const plain = refanged(visible(text));
  const found = new Map<string, Link>();
  const images = new Set([...plain.matchAll(IMAGE)].map(([, url]) => url!));
  const add = (host: string, raw: string): void => {
    const shown = raw.slice(0, SHOWN);
    if (found.size >= MOST) return;
    const link = { host, raw: shown, image: images.has(raw), disguised: isDisguisedHost(host, raw) };
    const known = found.get(`${host} ${shown}`);
    if (known === undefined || (link.image && !known.image)) found.set(`${host} ${shown}`, link);
  };
  const rest = plain.replace(URL_LIKE, (raw) => {
    const trimmed = trimEnd(raw);
    const host = hostOf(trimmed);
    if (host !== null) add(host, trimmed);
    return ' ';
  });
  const bare = rest.replace(OPAQUE, (raw, scheme: string) => {
    add(scheme.toLowerCase(), raw);
    return ' ';
  });
  for (const [raw] of bare.matchAll(BARE)) {
    const trimmed = trimEnd(raw);
    const name = trimmed.split(/[/?#:]/)[0]!;
    const host = isName(name) ? hostOf(`http://${trimmed}`) : null;
    if (host !== null) add(host, trimmed);
  }
  return [...found.values()];
}

/** Whether a host is one of these: `docs.example.com`, or `*.example.com` for all below it. */
export function isAllowed(host: string, allowed: readonly string[]): boolean {
  return allowed.some((one) => {
    const name = one.toLowerCase();
    return name.startsWith('*.') ? host.endsWith(name.slice(1)) : host === name;
  });
}

/** One line's spellings of "." and "http" that people use so that software does not see a link. */
const refanged = (text: string): string =>
  text
    .replace(/\b(h)(?:xx|tt)(ps?:\/\/)/gi, '$1tt$2')
    .replace(/\s?[[({]\s?(?:\.|dot|punkt)\s?[\])}]\s?/gi, '.')
    .replace(/\[:\/\/\]/g, '://')
    .replace(
      /(?<![\p{L}\p{N}-])([\p{L}\p{N}-]{1,63})((?: (?:dot|punkt) [\p{L}\p{N}-]{1,63}){1,8})/giu,
      (whole, first: string, others: string) => {
        const name = first + others.replace(/ (?:dot|punkt) /gi, '.');
        return isName(name) ? name : whole;
      },
    );

/** Compatibility forms made one (a fullwidth dot is a dot to a browser), and nothing between the letters that cannot be seen. */
const visible = (text: string): string => text.normalize('NFKC').replace(/\p{Cf}|\p{DI}/gu, '');

const IMAGE = /!\[[^\]]{0,500}\]\(\s{0,4}<?([^\s)>]{1,4000})/g;
const URL_LIKE = /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s<>"'`|\\^{}]{1,4000}/gi;
const OPAQUE = /\b(data:|javascript:|vbscript:|magnet:|tel:|sms:|mailto:)(?=[^\s])[^\s<>"')]{1,4000}/gi;
const BARE =
  /(?<![\p{L}\p{N}_@/.-])(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}\p{L}[\p{L}\p{N}-]{1,62}(?::\d{1,5})?(?:[/?#][^\s<>"'`|\\^{}]{0,4000})?/gu;

const trimEnd = (raw: string): string => {
  let text = raw.replace(/[.,;:!?*_~]+$/, '');
  while (/[)\]]$/.test(text) && !isBalanced(text)) text = text.slice(0, -1).replace(/[.,;:!?*_~]+$/, '');
  return text;
};

const isBalanced = (text: string): boolean =>
  text.split('(').length >= text.split(')').length && text.split('[').length >= text.split(']').length;

function hostOf(raw: string): string | null {
  // Of schemes that browsers do not know, the URL standard reads no host: they are read as if they were the web's.
  const web = raw.replace(/^[a-z][a-z0-9+.-]*:\/\//i, 'http://');
  if (!URL.canParse(web)) return null;
  const { hostname } = new URL(web);
  return hostname === '' ? null : hostname.toLowerCase().replace(/\.$/, '');
}

/** Names that look like files (`config.json`) have no public suffix; those that are both (`evil.zip`) are names, as browsers think. */
function isName(text: string): boolean {
  const { isIcann, domain, publicSuffix } = parse(text, { allowPrivateDomains: false });
  if (!isIcann || domain === null || publicSuffix === null) return false;
  // Languages and tools, not hosts, unless something follows that only a host has.
  return !(FILES.has(publicSuffix) && text.split('.').length === 2);
}

/** Public suffixes that end the names of files far more often than those of hosts. */
const FILES = new Set(['py', 'sh', 'rs', 'md', 'pl', 'js', 'ts', 'cc', 'so', 'ps', 'mk', 'st']);

/** Mixed with another script, or ASCII to the eye and not in fact. */
function isDisguisedHost(host: string, raw: string): boolean {
  if (!/(^|\.)xn--/.test(host)) return false;
  const written = raw.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '').split(/[/?#]/)[0]!;
  const name = /[^\p{ASCII}]/u.test(written) ? written : decoded(host);
  return name.split('.').some((label) => {
    if (!/[^\p{ASCII}]/u.test(label)) return false;
    const scripts = ['Latin', 'Cyrillic', 'Greek', 'Armenian'].filter((one) =>
      new RegExp(`\\p{Script=${one}}`, 'u').test(label),
    );
    return scripts.length > 1 || !/[^\p{ASCII}]/u.test(skeletonOf(label));
  });
}

/** RFC 3492, only as far as showing what a punycode label says. */
function decoded(host: string): string {
  return host
    .split('.')
    .map((label) => (label.startsWith('xn--') ? unicodeLabel(label.slice(4)) : label))
    .join('.');
}

function unicodeLabel(text: string): string {
  const dash = text.lastIndexOf('-');
  const output = [...text.slice(0, Math.max(dash, 0))].map((one) => one.codePointAt(0)!);
  let [n, bias, i] = [128, 72, 0];
  for (let at = dash + 1; at < text.length; ) {
    const old = i;
    for (let k = 36, weight = 1; ; k += 36) {
      const digit = Number.parseInt(text[at++] ?? '', 36);
      if (Number.isNaN(digit)) return text;
      const value = digit < 10 ? digit + 26 : digit - 10;
      i += value * weight;
      const threshold = Math.min(Math.max(k - bias, 1), 26);
      if (value < threshold) break;
      weight *= 36 - threshold;
    }
    const length = output.length + 1;
    bias = adapted(i - old, length, old === 0);
    n += Math.floor(i / length);
    i %= length;
    if (n > 0x10ffff) return text;
    output.splice(i++, 0, n);
  }
  return String.fromCodePoint(...output);
}

function adapted(delta: number, length: number, first: boolean): number {
  let rest = first ? Math.floor(delta / 700) : delta >> 1;
  rest += Math.floor(rest / length);
  let k = 0;
  for (; rest > 455; k += 36) rest = Math.floor(rest / 35);
  return k + Math.floor((36 * rest) / (rest + 38));
}
