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

/**
 * What bash and zsh run alike: from the words in `given`, the last one before the cursor in `before`, to what can follow, in `next`.
 * Two words at most name a command; the place is the longest that is known.
 */
function lookedUp(all: readonly Place[]): string {
  const next = all.map(({ words, next: of }) => `    ${quoted(words)}) next=${quoted(of.join(' '))} ;;`);
  const choices = all.flatMap(({ words, choices: of }) =>
    of.map(
      ({ option, values }) =>
        `    ${quoted(`${words} ${option}`)}) next=${quoted(values.join(' '))}; only=1 ;;`,
    ),
  );
  const known = ` ${all.map(({ words }) => words.replaceAll(' ', '/')).join(' ')} `;
  return `  local place='' next='' only='' one
  local known=${quoted(known)}
  for one in "\${given[@]}"; do
    one=\${place:+$place/}$one
    case $known in *" $one "*) place=$one ;; esac
  done
  place=\${place//\\// }
  case "$place" in
${next.join('\n')}
  esac
  case "$place $before" in
${choices.join('\n')}
  esac`;
}

const bash = (all: readonly Place[]): string => `# bash completion of steelyard
_steelyard() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]}
  local given=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
${lookedUp(all)}
  mapfile -t COMPREPLY < <(compgen -W "$next" -- "$word")
  [ -n "$only" ] || mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
}
complete -o filenames -F _steelyard steelyard
`;

const zsh = (all: readonly Place[]): string => `#compdef steelyard
_steelyard() {
  local before=$words[CURRENT-1]
  local given=("\${(@)words[2,CURRENT-1]}")
${lookedUp(all)}
  compadd -- \${=next}
  [ -n "$only" ] || _files
}
if [ "$funcstack[1]" = _steelyard ]; then _steelyard "$@"; else compdef _steelyard steelyard; fi
`;

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
