// `steelyard template show | explain | diff`: chat templates for people who read them.
import { Command, Option } from 'commander';
import { templateDifference, templatePage, templateText } from '../../report/template/template-text.ts';
import { SteelyardError } from '../../rules/error.ts';
import {
  type TemplatesView,
  type TemplateView,
  templatesUnder,
} from '../../scan/inspect/template/view/view.ts';
import { type Run, run } from '../run.ts';
import { writeStdout } from '../terminal/output.ts';

interface Flags {
  readonly format: 'text' | 'html';
}

const HELP = `
Examples:
  steelyard template show models/llama                    the text, line by line, with what was found
  steelyard template explain models/llama                 which loader takes which, what it depends on, what is new in it
  steelyard template diff models/llama incoming/llama     what the second has and the first has not

Exit codes:
  0    nothing at or above high; the same
  1    a finding at or above high; a difference
  2    no verdict: no template, a file that could not be read, bad usage
`;

export function templateCommand(): Command {
  const group = new Command('template').summary('read chat templates: show, explain, diff');
  for (const command of [
    looking('show', 'print chat templates with what was found in them', true),
    looking('explain', 'say which chat template is used, what it depends on, and what is new in it', false),
    new Command('diff')
      .summary('compare two chat templates')
      .description('Compares the default templates under two paths: what is new first, then what is gone.')
      .argument('<before>', 'a template, a weight file, or a folder')
      .argument('<after>', 'the one that is held against it')
      .action((before: string, after: string) => run((context) => differing(before, after, context))),
  ])
    group.addCommand(command.addHelpText('after', HELP));
  return group;
}

const looking = (name: string, summary: string, withText: boolean): Command =>
  new Command(name)
    .summary(summary)
    .description(
      `${summary[0]!.toUpperCase()}${summary.slice(1)}. Nothing is rendered, and no weights are read.`,
    )
    .argument('<path...>', 'templates, weight files, or folders')
    .addOption(new Option('--format <format>', 'what is printed').choices(['text', 'html']).default('text'))
    .action((paths: string[], flags: Flags) => run((context) => looked(paths, flags, withText, context)));

async function looked(paths: string[], { format }: Flags, withText: boolean, context: Run): Promise<number> {
  const view = templatesUnder(paths, stopping(context));
  const text = templateText(view, withText);
  await writeStdout([format === 'html' ? templatePage(text) : text]);
  return outcome(view);
}

/** A definite no beats an error, an error beats a pass. */
function outcome({ templates, problems }: TemplatesView): number {
  const isBad = templates.some(({ findings }) =>
    findings.some(({ severity }) => severity === 'high' || severity === 'critical'),
  );
  if (isBad) return 1;
  return problems.length > 0 ? 2 : 0;
}

async function differing(before: string, after: string, context: Run): Promise<number> {
  const [one, other] = [before, after].map((path) => standard(path, stopping(context)));
  const difference = templateDifference(one!, other!);
  await writeStdout([difference === '' ? 'the same chat template\n' : difference]);
  return difference === '' ? 0 : 1;
}

/** The default template under a path, as the first of the loaders takes it. */
function standard(path: string, check: () => void): TemplateView {
  const { templates, loaders } = templatesUnder([path], check);
  const used = loaders.find(({ used }) => used !== null)?.used;
  const found =
    templates.find(({ file, name }) => file === used?.file && name === used.template) ?? templates[0];
  if (found === undefined) throw new SteelyardError('NOT_FOUND', `there is no chat template under ${path}`);
  return found;
}

const stopping =
  ({ signal }: Run) =>
  (): void => {
    if (signal.aborted) throw new SteelyardError('ABORTED', 'the command was interrupted');
  };
