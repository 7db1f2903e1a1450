// `steelyard completion SHELL`: a script that completes commands, options and their choices, made from the tree of commands itself.
import { Argument, Command } from 'commander';
import { run } from '../run.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

const HELP = `
Examples:
  steelyard completion bash > ~/.local/share/bash-completion/completions/steelyard
  steelyard completion zsh > "\${fpath[1]}/_steelyard"
  steelyard completion fish > ~/.config/fish/completions/steelyard.fish
`;

/** `add` puts all commands but scan into a program. */
export function completionCommand(add: (program: Command) => Promise<void>): Command {
  return new Command('completion')
    .summary('print a script that completes commands and options')
    .description('Prints a script for a shell that completes commands, options and the choices of options.')
    .addArgument(new Argument('<shell>', 'which one').choices(SHELLS))
    .addHelpText('after', HELP)
    .action((shell: Shell) =>
      run(async ({ write }) => {
        await write(undefined, [SCRIPTS[shell](await places(add))]);
        return 0;
      }),
    );
}

/** A command or one of its own, by its words: `bom create`. */
interface Place {
  readonly words: string;
  readonly summary: string;
  /** What can follow, apart from files. */
  readonly next: readonly string[];
  readonly choices: readonly { readonly option: string; readonly values: readonly string[] }[];
}

async function places(add: (program: Command) => Promise<void>): Promise<Place[]> {
  const { scanCommand } = await import('./scan-command.ts');
  const root = new Command('steelyard');
  root.addCommand(scanCommand());
  await add(root);
  const placesOf = (command: Command, words: string): Place[] => {
    const subcommands = command.commands.map((one) => one.name());
    const options = command.options.flatMap(({ long }) => (long ? [long] : []));
    return [
      {
        words,
        summary: command.summary() || command.description(),
        next: [...subcommands, ...options, '--help'],
        choices: command.options.flatMap(({ long, argChoices }) =>
          long && argChoices ? [{ option: long, values: argChoices }] : [],
        ),
      },
      ...command.commands.flatMap((one) => placesOf(one, `${words} ${one.name()}`.trim())),
    ];
  };
  return placesOf(root, '');
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The cases of a script for bash or zsh: what can follow at a place, and after an option that has choices. */
function cases(all: readonly Place[]): { known: string; next: string; choices: string } {
  const next = all.map(({ words, next: of }) => `    ${quoted(words)}) next=${quoted(of.join(' '))} ;;`);
  const choices = all.flatMap(({ words, choices: of }) =>
    of.map(
      ({ option, values }) =>
        `    ${quoted(`${words} ${option}`)}) next=${quoted(values.join(' '))}; only=1 ;;`,
    ),
  );
  const known = ` ${all.map(({ words }) => words.replaceAll(' ', '/')).join(' ')} `;
  return { known, next: next.join('\n'), choices: choices.join('\n') };
}

/** Two words at most name a command; the place is the longest that is known. */
function bash(all: readonly Place[]): string {
  const { known, next, choices } = cases(all);
  return `# bash completion of steelyard
_steelyard() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} place='' next='' only='' one
  local known=${quoted(known)}
  for one in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    one=\${place:+$place/}$one
    case $known in *" $one "*) place=$one ;; esac
  done
  place=\${place//\\// }
  case "$place" in
${next}
  esac
  case "$place $before" in
${choices}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$next" -- "$word")
  [ -n "$only" ] || mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
}
complete -o filenames -F _steelyard steelyard
`;
}

function zsh(all: readonly Place[]): string {
  const { known, next, choices } = cases(all);
  return `#compdef steelyard
_steelyard() {
  local place='' next='' only='' one
  local known=${quoted(known)}
  for one in \${words[2,CURRENT-1]}; do
    one=\${place:+$place/}$one
    case $known in *" $one "*) place=$one ;; esac
  done
  place=\${place//\\// }
  case "$place" in
${next}
  esac
  case "$place $words[CURRENT-1]" in
${choices}
  esac
  compadd -- \${=next}
  [ -n "$only" ] || _files
}
if [ "$funcstack[1]" = _steelyard ]; then _steelyard "$@"; else compdef _steelyard steelyard; fi
`;
}

function fish(all: readonly Place[]): string {
  const lines = all.flatMap(({ words, next, choices }) => {
    const [first, second] = words.split(' ');
    const seen = first ? `__fish_seen_subcommand_from ${first}` : '__fish_use_subcommand';
    const when = quoted(second === undefined ? seen : `${seen}; and __fish_seen_subcommand_from ${second}`);
    const rule = `complete -c steelyard -n ${when}`;
    return [
      ...next.map((one) => {
        const summary = all.find((place) => place.words === `${words} ${one}`.trim())?.summary;
        return one.startsWith('--')
          ? `${rule} -l ${one.slice(2)}`
          : `${rule} -a ${one}${summary === undefined ? '' : ` -d ${quoted(summary)}`}`;
      }),
      ...choices.map(
        ({ option, values }) => `${rule} -l ${option.slice(2)} -x -a ${quoted(values.join(' '))}`,
      ),
    ];
  });
  return `# fish completion of steelyard\n${lines.join('\n')}\n`;
}

const SCRIPTS: Readonly<Record<Shell, (all: readonly Place[]) => string>> = { bash, zsh, fish };
