// Commands as words. Scripts are split as a shell would, far enough to see which programs run with which flags; nothing is run.
import type { Fact, Place } from '../../yaml/place.ts';

/** One command: the program, then its arguments. */
export type Words = readonly Fact<string>[];

/** A script of a megabyte is no entry point. */
const SCRIPT = 1 << 20;

const SHELL = /^(?:.*\/)?(?:sh|bash|dash|ash|zsh|ksh)$/;

/**
 * The commands behind a list of words: itself, or the shell and the commands of its script.
 *
 * @param env values that `$(NAME)` and `$NAME` stand for.
 */
export function commandsOf(list: Words, env: ReadonlyMap<string, Fact<string | null>>): Words[] {
  const words = list.map(({ value, at }) => ({ value: expanded(value, env), at }));
  const shell = words.findIndex(({ value }) => SHELL.test(value));
  const option = words.findIndex(({ value }, i) => i > shell && /^-[a-z]*c$/.test(value));
  const script = shell >= 0 && shell <= 1 && option > shell ? words[option + 1] : undefined;
  if (script === undefined) return [words];
  return [words.filter((word) => word !== script), ...split(script.value, script.at)];
}

/** What Kubernetes and a shell put in for names that are written here; the rest stays as it is. */
function expanded(text: string, env: ReadonlyMap<string, Fact<string | null>>): string {
  if (!text.includes('$')) return text;
  let room = SCRIPT;
  return text.replace(/\$(?:\((\w+)\)|\{(\w+)\}|(\w+))/g, (whole, a, b, c) => {
    const value = env.get(a ?? b ?? c)?.value ?? whole;
    // A long value that is named a thousand times would be a thousand long values.
    room -= value.length;
    return room < 0 ? whole : value;
  });
}

/** A script's commands. Quotes hold words together; `;`, `&`, `|`, brackets and line ends part commands. */
export function split(script: string, at: Place): Words[] {
  const text = script.slice(0, SCRIPT).replace(/\\\r?\n/g, ' ');
  const commands: Fact<string>[][] = [[]];
  let word = '';
  let open = false;
  const end = (): void => {
    if (open) commands.at(-1)!.push({ value: word, at });
    word = '';
    open = false;
  };
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === "'" || character === '"') {
      const close = closing(text, i);
      word += text.slice(i + 1, close);
      open = true;
      i = close;
    } else if (character === '\\') {
      word += text[++i] ?? '';
      open = true;
    } else if (character === '#' && !open) {
      const line = text.indexOf('\n', i);
      i = (line < 0 ? text.length : line) - 1;
    } else if (';&|()\n`'.includes(character)) {
      end();
      if (commands.at(-1)!.length > 0) commands.push([]);
      // A pipe is kept as the first word of what it feeds: `curl … | sh` is two commands and one meaning.
      if (character === '|' && text[i + 1] !== '|' && text[i - 1] !== '|')
        commands.at(-1)!.push({ value: '|', at });
    } else if (/\s/.test(character)) end();
    else {
      word += character;
      open = true;
    }
  }
  end();
  return commands.filter(({ length }) => length > 0);
}

function closing(text: string, start: number): number {
  const quote = text[start]!;
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\' && quote === '"') i++;
    else if (text[i] === quote) return i;
  }
  return text.length;
}

interface Flag {
  /** null: the flag stands alone. */
  readonly value: string | null;
  readonly at: Place;
}

/** The last flag of one of these names: `--name value`, `--name=value`; underscores are dashes, as argparse's users write them. */
export function flagOf(words: Words, ...names: readonly string[]): Flag | null {
  let found: Flag | null = null;
  words.forEach(({ value, at }, i) => {
    if (!value.startsWith('-')) return;
    const equals = value.indexOf('=');
    const name = (equals < 0 ? value : value.slice(0, equals)).replaceAll('_', '-');
    if (!names.includes(name)) return;
    const next = words[i + 1]?.value;
    const follows = next !== undefined && !next.startsWith('-') ? next : null;
    found = { value: equals < 0 ? follows : value.slice(equals + 1), at };
  });
  return found;
}
