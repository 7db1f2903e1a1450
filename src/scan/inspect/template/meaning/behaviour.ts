// Behavioural backdoors: templates that run no code and pass every sandbox, and that say something else to the model when
// somebody writes a certain word, on a certain day, or enough. Evidence is a pair: a decision that depends on what somebody
// wrote, and words of the template's own, or of theirs, that it lets through, changes or leaves out.
import { quoted } from '../../../../document/violations.ts';
import { linkIn, reportOutput } from '../jinja/literals.ts';
import { isMarker } from '../marker.ts';
import type { Note } from '../observation.ts';
import { isEcho, isProse, isRole, wordsIn } from '../wording.ts';
import type { StatementWatch } from './run/block.ts';
import { type Choice, either, isOpenChoice } from './value/choice.ts';
import { isWords } from './value/foreign.ts';
import type { Value } from './value/value.ts';

/** What a text of the template's own is. */
interface Words {
  readonly link: string | undefined;
  readonly role: boolean;
  readonly prose: boolean;
  /** The first of its words. */
  readonly words: readonly string[];
}

type Behaviour = Pick<StatementWatch, 'said' | 'put' | 'dropped'>;

/** What of the text before is kept to see what pieces come to. */
const TAIL = 240;
/** Stands for what somebody wrote. */
const SOMEBODY = '\0';
const ADDRESS = new RegExp(
  `(?:(?:https?|ftp|wss?):/{0,2}|\\bwww\\.|!\\[[^\\]\\n]{0,80}\\]\\()[^\\s'"<>]{0,200}(?<=[/=?&#@:%+])${SOMEBODY}$`,
  'i',
);

export function behaviourWatch(note: Note): Behaviour {
  let tail = '';
  let spelt = '';
  const known = new Map<string, Words>();
  return { said, put, dropped };

  function said(value: Value, by: Choice | null, at: number): void {
    if (by === null) return;
    for (const text of value.own) tell(text, by, at);
    if (value.many && isOpenChoice(by))
      note('template/conditional-instruction', at, `${where(by)} adds one of many texts of its own`);
  }

  function tell(text: string, by: Choice, at: number): boolean {
    const { link, role, prose, words } = wordsOf(text);
    if (link !== undefined)
      note('template/conditional-link', at, `${where(by)} adds the link ${quoted(link)}`);
    // What the message says itself is nothing new: 'thinking on' in content, and 'thinking on' for the model.
    if (by.protocol || isEcho(words, by.sought)) return false;
    if (role) note('template/conditional-role', at, `${where(by)} speaks in another role: ${quoted(text)}`);
    else if (prose) note('template/conditional-instruction', at, `${where(by)} adds ${quoted(text)}`);
    else return false;
    return true;
  }

  /** A text is looked at once, however often it is said. */
  function wordsOf(text: string): Words {
    const old = known.get(text);
    if (old !== undefined) return old;
    const words = {
      link: linkIn(text),
      role: isRole(text),
      prose: isProse(text),
      words: wordsIn(text).slice(0, 4),
    };
    known.set(text, words);
    return words;
  }

  function put(value: Value, by: Choice | null, at: number): void {
    // What is one of a few constants was chosen as a whole.
    const choice = either(by, value.open ? null : value.choice);
    said(value, by, at);
    const [piece] = value.known.length > 0 && !value.open ? value.known : value.own;
    const text = typeof piece === 'string' ? piece : isWords(value.kind) ? SOMEBODY : '';
    // `'![x](https://…?q=' ~ content`: in one value, whatever the order.
    const open = isWords(value.kind) ? value.own.find((one) => ADDRESS.test(one + SOMEBODY)) : undefined;
    if (open !== undefined)
      note('template/link-with-data', at, `what somebody wrote is put into the address ${quoted(open)}`);
    if (isOpenChoice(choice)) spell(text, choice, at);
    runOn(text, at);
  }

  /** Words that are put out in pieces, each under its own condition. */
  function spell(text: string, by: Choice, at: number): void {
    if (text === SOMEBODY || !/[\p{L}\s]/u.test(text) || (text.trim() !== '' && isMarker(text))) return;
    if (
      isEcho(wordsOf(text).words, by.sought) ||
      (text.trim() !== '' && wordsOf(text).words.length === 0 && text.length > 4)
    )
      return;
    spelt = (spelt + text).slice(-TAIL);
    if (tell(spelt, by, at)) spelt = '';
  }

  /** What pieces come to: a link of five of them, an order of two. */
  function runOn(text: string, at: number): void {
    const joined = tail + text.slice(0, TAIL);
    if (text === SOMEBODY && ADDRESS.test(joined)) {
      const address = joined.slice(joined.search(ADDRESS)).replaceAll(SOMEBODY, '…');
      note('template/link-with-data', at, `what somebody wrote is put into the address ${quoted(address)}`);
    }
    if (tail !== '' && text !== '' && text !== SOMEBODY) {
      reportOutput(joined, at - Math.min(at, tail.length), (rule, _, message) => {
        if (rule !== 'template/encoded') note(rule, at, message);
      });
    }
    tail = (tail + text).slice(-TAIL);
  }

  function dropped(by: Choice, at: number): void {
    // What programs write in tags is taken out of a conversation by templates of many families.
    if (by.sought.every((text) => isMarker(text) || /^<[^<>\s]{1,40}>$/.test(text.trim()))) return;
    note('template/rewrite', at, `${where(by)} leaves out or changes what somebody wrote`);
  }
}

const where = ({ sought }: Choice): string => {
  const word = sought.find((text) => !isMarker(text)) ?? sought[0]!;
  return `where a message or the date says ${quoted(word)}, the template`;
};
