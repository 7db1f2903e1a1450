// Chat templates for people: `template show`, `explain` and `diff` as text, and the same in a page. Every foreign line is inert.
import { diffLines } from 'diff';
import { inert } from '../../document/text/inert.ts';
import type { TemplatesView, TemplateView } from '../../scan/inspect/template/view/view.ts';
import { loaderLines } from '../text/loaders.ts';

/** Characters of a line that are shown; a template may be one line. */
const LINE_MAX = 2000;
/** Added pieces that are shown. */
const ADDED_MAX = 40;

/** What it depends on, what was found, what is new in it; with `withText` each line of it, and findings under their lines. */
export function templateText(view: TemplatesView, withText: boolean): string {
  const problems = view.problems.map(({ file, message }) => `not read: ${inert(file)}: ${inert(message)}`);
  const parts = view.templates.map((template) => [
    ...headLines(template),
    ...addedLines(template),
    ...(withText ? numbered(template) : findingLines(template)),
  ]);
  return `${[loaderLines(view), ...parts, problems]
    .filter(({ length }) => length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function headLines({ file, name, digest, known, near, depends, findings }: TemplateView): string[] {
  const origin =
    known !== null
      ? `published as ${inert(known.family)} in ${inert(known.source)} (${known.date}), unchanged`
      : near === null
        ? 'like no template that is known'
        : `made from ${inert(near.known.family)} of ${inert(near.known.source)}: ${near.added.length} pieces are new, ${near.gone} are gone`;
  return [
    `${inert(name)} of ${inert(file)}`,
    `  ${digest}`,
    `  ${origin}`,
    `  depends on ${
      depends.length === 0
        ? 'nothing that could be named'
        : depends
            .slice(0, 60)
            .map((one) => inert(one))
            .join(', ')
    }`,
    `  ${findings.length === 0 ? 'no finding' : `findings: ${findings.length}`}`,
  ];
}

function addedLines({ near, text }: TemplateView): string[] {
  if (near === null || near.added.length === 0) return [];
  const shown = near.added.slice(0, ADDED_MAX).map((piece) => {
    const before = text.slice(0, piece.at);
    const line = before.split('\n').length;
    return `  + ${line}:${piece.at - before.lastIndexOf('\n')}  ${inert(piece.text, 300)}`;
  });
  const rest = near.added.length - ADDED_MAX;
  return ['  new in it', ...shown, ...(rest > 0 ? [`  and ${rest} more`] : [])];
}

const findingLines = ({ findings }: TemplateView): string[] =>
  findings.map(
    ({ rule, severity, line, column, message }) =>
      `  ${line}:${column}  ${severity}  ${rule}  ${inert(message)}`,
  );

function numbered({ text, findings }: TemplateView): string[] {
  const lines = text.split('\n');
  const width = String(lines.length).length;
  return lines.flatMap((line, index) => [
    `${String(index + 1).padStart(width)} | ${inert(line, LINE_MAX)}`,
    ...findings
      .filter((one) => one.line === index + 1)
      .map(
        ({ rule, severity, column, message }) =>
          `${' '.repeat(width)} ^ column ${column}  ${severity}  ${rule}  ${inert(message)}`,
      ),
  ]);
}

/** What the second has and the first has not, then what is gone. '' where they are the same. */
export function templateDifference(before: TemplateView, after: TemplateView): string {
  if (before.digest === after.digest) return '';
  const added: string[] = [];
  const gone: string[] = [];
  let [from, to] = [1, 1];
  for (const part of diffLines(normal(before.text), normal(after.text))) {
    const lines = part.value.replace(/\n$/, '').split('\n');
    lines.forEach((line, index) => {
      if (part.added) added.push(`+ ${to + index}  ${inert(line, LINE_MAX)}`);
      else if (part.removed) gone.push(`- ${from + index}  ${inert(line, LINE_MAX)}`);
    });
    if (!part.added) from += lines.length;
    if (!part.removed) to += lines.length;
  }
  const title = (view: TemplateView, word: string): string =>
    `${word} ${inert(view.name)} of ${inert(view.file)}`;
  return `${[title(before, '---'), title(after, '+++'), ...added, ...gone].join('\n')}\n`;
}

const normal = (text: string): string => `${text.replace(/\r\n?/g, '\n').trimEnd()}\n`;

/** One page without script or style: text as it stands. */
export function templatePage(text: string): string {
  const safe = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'">',
    '<title>Chat templates</title></head>',
    `<body><h1>Chat templates</h1><pre>${safe}</pre></body></html>`,
    '',
  ].join('\n');
}
