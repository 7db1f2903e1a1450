// What a template's own words give away: orders to keep quiet, links, characters that nobody sees, payloads in base64.
import { quoted } from '../../../../document/violations.ts';
import type { Note } from '../observation.ts';

/** Reports on one piece of text that a template may put out. */
export function reportOutput(text: string, at: number, note: Note): void {
  const covert = COVERT.exec(text);
  if (covert !== null) {
    note('template/covert-instruction', at + covert.index, `the model is told ${quoted(covert[0])}`);
  }
  const secrecy = covert === null ? SECRECY.exec(text) : null;
  if (secrecy !== null)
    note('template/secrecy', at + secrecy.index, `the model is told ${quoted(secrecy[0])}`);
  const link = linkIn(text);
  if (link !== undefined) note('template/url', at, `the link ${quoted(link)} is part of the prompt`);
  const encoded = ENCODED.exec(text);
  if (encoded !== null && !isDigest(encoded[0])) {
    note(
      'template/encoded',
      at + encoded.index,
      `${encoded[0].length} characters like base64 or hex: ${quoted(encoded[0])}`,
    );
  }
}

/** Reports on characters that nobody sees, anywhere in a source: a comment can turn code around too. */
export function reportInvisible(text: string, at: number, note: Note): void {
  const invisible = INVISIBLE.exec(text);
  if (invisible === null) return;
  const code = invisible[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
  note('template/invisible', at + invisible.index, `the invisible character U+${code}`);
}

/** Reports on words of two alphabets. Of values, not of a source: there, the `n` of `\\n` stands before every Cyrillic line. */
export function reportLookalikes(text: string, at: number, note: Note): void {
  for (const { 0: word, index } of text.matchAll(/[\p{L}\p{M}]+/gu)) {
    // A brand may mix two alphabets; who imitates a word takes only letters that look the same.
    if (!LOOKALIKE.test(word) || !LATIN.test(word) || OTHER.test(word)) continue;
    note('template/homoglyph', at + index, `${quoted(word)} mixes look-alike letters of two alphabets`);
    return;
  }
}

/** A literal address, a markdown image or link, or a piece of one. */
export function linkIn(text: string): string | undefined {
  return LINK.exec(text)?.[0];
}

// A scheme alone counts: the rest of the address may be the conversation, which is how it is carried out. The schemas that
// tool definitions are written in are no links of anybody.
const LINK =
  /(?:https?|ftp|wss?):\/\/(?!json-schema\.org|www\.w3\.org)[^\s'"<>)\]}]{0,200}|\bwww\.[a-z0-9-]{1,63}\.[a-z]{2,}[^\s'"<>)\]}]{0,200}|!\[[^\]\n]{0,200}\]\(|\]\(https?:|<(?:script|img|iframe)\b|data:[a-z]+\/[a-z]+;base64/i;

// An order to keep something from the user, or to put aside what others have ordered: nobody who publishes a model writes it.
const KEEPING = String.raw`\b(?:do not|don't|never|without) (?:ever )?(?:mention|mentioning|reveal|revealing|disclos(?:e|ing)|tell(?:ing)?|inform(?:ing)?|let(?:ting)?|acknowledg(?:e|ing)|notify(?:ing)?)\b`;
const COVERT = new RegExp(
  [
    String.raw`${KEEPING}[^.\n]{0,40}\b(?:hidden|secret)\b`,
    String.raw`${KEEPING}[^.\n]{0,40}\b(?:these|this|it|instructions?)\b[^.\n]{0,40}\b(?:users?|anyone|anybody)\b`,
    String.raw`${KEEPING}[^.\n]{0,20}\b(?:users?|anyone|anybody)\b[^.\n]{0,40}\b(?:these|this|instructions?)\b`,
    String.raw`\b(?:ignore|disregard|forget|override) (?:all |any |the |your )?(?:previous|prior|above|earlier|other|system) (?:\w+ )?(?:instructions?|prompts?|messages?|rules?)`,
    String.raw`\b(?:hidden|secret|covert) (?:instructions?|prompts?|commands?|rules?)\b`,
    String.raw`\bwithout (?:the )?users?(?:'s?)? (?:noticing|knowing|knowledge|consent)`,
    String.raw`\b(?:hide|conceal|keep) [^.\n]{0,30}\bfrom (?:the )?users?\b`,
  ].join('|'),
  'i',
);

// A fixed system prompt that is not to be spoken of: assistants have it, and a reviewer is told.
const SECRECY =
  /\b(?:do not|don't|never|without) (?:ever )?(?:mention|mentioning|reveal|revealing|disclos(?:e|ing)|acknowledg(?:e|ing)) [^.\n]{0,40}\b(?:these|this|instructions?|prompt)\b/i;

const ENCODED = /(?:[A-Za-z0-9+/_-]{120,}={0,2})|(?:(?:\\x|%)[0-9a-fA-F]{2}){24,}/;

// Zero width, bidi controls, fillers, variation selectors of the supplement, and tag characters, which spell ASCII that only
// a model reads. Joiners and U+FE0F are parts of emoji.
const INVISIBLE = new RegExp(
  [
    String.raw`[\u{ad}\u{61c}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{200b}\u{202a}-\u{202e}\u{2060}-\u{206f}]`,
    String.raw`[\u{3164}\u{feff}\u{ffa0}\u{fff9}-\u{fffb}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]`,
    // A mark of direction beside a letter that is written from the right has its use.
    String.raw`(?<![\p{sc=Arab}\p{sc=Hebr}][^\p{L}]{0,8})[\u{200e}\u{200f}](?![^\p{L}]{0,8}[\p{sc=Arab}\p{sc=Hebr}])`,
    String.raw`(?<!\p{So}|\p{M}|\p{L}|\p{Emoji_Modifier})[\u{200c}\u{200d}]`,
  ].join('|'),
  'u',
);
/** Hex digits that are no text: digests of a build. */
const isDigest = (text: string): boolean =>
  /^[0-9a-f]+$/i.test(text) &&
  !/^[\t\n\r -~]{16}/.test(Buffer.from(text.slice(0, 64), 'hex').toString('latin1'));

const LATIN = /[a-zA-Z].*[a-zA-Z]/;
/** Cyrillic, Greek and others that look like Latin letters, and the mathematical alphabets. */
const OTHER =
  /(?![АВЕЅІЈКМНОРСТУХаеорсухіјѕԁһԛԝ\u0443\u043a])\p{Script=Cyrillic}|(?![ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοριντ])\p{Script=Greek}/u;
const LOOKALIKE =
  /[АВЕЅІЈКМНОРСТУХаеорсухіјѕԁһԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧοριντ\u0561-\u0587\u{1d400}-\u{1d7ff}\uff21-\uff3a\uff41-\uff5a\u0251\u0261\u026a]/u;
