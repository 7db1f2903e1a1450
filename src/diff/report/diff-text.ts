// The diff for a terminal: first what kind of change it is, then where, last how much was looked at. Every name is foreign text.

import { type Paint, painter } from '../../document/text/frame.ts';
import { inert } from '../../document/text/inert.ts';
import { bytes, counted, grouped, rounded } from '../../document/text/quantity.ts';
import type { Conclusion, DiffReport, Side } from './diff-report.ts';
import { adapterLines, mergeLines } from './text-adapter.ts';
import { changeLines } from './text-tensors.ts';

export interface DiffTextOptions {
  readonly colour: boolean;
}

/** Tensors that are shown; JSON has them all. */
const SHOWN = 20;
const NAMES = 3;
const MESSAGE = 600;

export function renderDiffText(report: DiffReport, { colour }: DiffTextOptions): string {
  const paint = painter(colour);
  const lines = [
    ...headline(report, paint),
    ...report.conclusions.flatMap((conclusion) => conclusionLines(conclusion, paint)),
    ...section('Structure', report.structure.map(structureLine), paint),
    ...section('Tensors', report.tensors.map(changeLines), paint),
    ...section('Adapters', report.adapter === null ? [] : adapterLines(report.adapter), paint),
    ...section('The adapter in it', report.merge === undefined ? [] : mergeLines(report.merge), paint),
    ...section('Files', report.files.map(fileLine), paint),
    ...section('Metadata', report.metadata.map(metadataLine), paint),
    ...section('Errors', report.errors.map(errorLine), paint),
    '',
    closing(report, paint),
  ];
  return `${lines.join('\n')}\n`;
}

const HEADLINES = {
  tampering: 'CHANGED, and not as honest processes change a model',
  damage: 'CHANGED, and damaged',
  unknown: 'CHANGED, in a way that is not explained',
  recipe: 'CHANGED, as training, merging or converting changes a model',
} as const;

function headline({ outcome, conclusions, complete }: DiffReport, paint: Paint): string[] {
  if (outcome === 'error') return [paint('bad', 'NO ANSWER: not everything could be read')];
  if (outcome === 'same') return ['The same: every file is the same byte for byte'];
  const worst = conclusions[0]?.concern ?? 'unknown';
  const partly = complete ? '' : ' (not everything could be read)';
  return [paint(worst === 'recipe' ? 'title' : 'bad', `${HEADLINES[worst]}${partly}`)];
}

function conclusionLines(conclusion: Conclusion, paint: Paint): string[] {
  const { kind, concern, message, evidence, tensors, caveat } = conclusion;
  const figures = evidence.map(
    ({ name, value, limit }) => `${name} ${rounded(value)}${limit === undefined ? '' : ` (${inert(limit)})`}`,
  );
  const more = tensors.length > NAMES ? ` and ${grouped(tensors.length - NAMES)} more` : '';
  return [
    '',
    `  ${paint(TONES[concern], kind.toUpperCase())}  ${inert(message, MESSAGE)}`,
    ...figures.map((figure) => `      ${figure}`),
    ...(tensors.length > 1
      ? [
          `      in ${tensors
            .slice(0, NAMES)
            .map((name) => inert(name))
            .join(', ')}${more}`,
        ]
      : []),
    `      ${paint('dim', `but: ${caveat}`)}`,
  ];
}

const TONES = { tampering: 'critical', damage: 'high', unknown: 'medium', recipe: 'info' } as const;

function section(title: string, entries: readonly (string | readonly string[])[], paint: Paint): string[] {
  if (entries.length === 0) return [];
  const shown = entries.slice(0, SHOWN).flat();
  const more = entries.length > SHOWN ? [`  … and ${grouped(entries.length - SHOWN)} more`] : [];
  return ['', paint('title', `${title}: ${grouped(entries.length)}`), ...shown, ...more];
}

function structureLine({ kind, good, suspect }: DiffReport['structure'][number]): string {
  const [from, to] = [good, suspect].map((place) =>
    place === null ? null : `${inert(place.name)} ${inert(place.dtype)} [${place.shape.join(', ')}]`,
  );
  const files = kind === 'moved' ? ` (${inert(good!.file)} → ${inert(suspect!.file)})` : '';
  const arrow = kind === 'swapped' ? '  holds the bytes of  ' : '  was  ';
  const what = from === null ? to : to === null ? from : `${to}${arrow}${from}`;
  return `  ${kind.padEnd(8)}  ${what}${files}`;
}

const fileLine = ({ path, good, suspect }: DiffReport['files'][number]): string =>
  `  ${(good === null ? 'added' : suspect === null ? 'removed' : 'changed').padEnd(8)}  ${inert(path)}`;

const metadataLine = ({ file, key, good, suspect }: DiffReport['metadata'][number]): string[] => [
  `  ${inert(file)}  ${inert(key)}`,
  `      good     ${good === null ? 'no such key' : inert(good)}`,
  `      suspect  ${suspect === null ? 'no such key' : inert(suspect)}`,
];

const errorLine = ({ code, file, message }: DiffReport['errors'][number]): string =>
  `  ${code}  ${inert(file)}: ${inert(message, MESSAGE)}`;

/** How much was looked at, and what the exit code is. */
function closing(report: DiffReport, paint: Paint): string {
  const { good, suspect, identical, tensors, outcome, complete } = report;
  const unread = tensors.filter(({ difference }) => difference === null).length;
  const compared = `${counted(tensors.length - unread, 'pair')} of tensors compared`;
  const parts = [
    `good: ${sideText(good)}`,
    `suspect: ${sideText(suspect)}`,
    `${grouped(identical)} identical by digest, ${compared}`,
    ...(unread === 0 ? [] : [`${grouped(unread)} only known to differ`]),
    ...(complete ? [] : ['not everything could be read']),
  ];
  const said = { same: 'SAME', changed: 'CHANGED', error: 'NO ANSWER' }[outcome];
  const code = { same: 0, changed: 1, error: 2 }[outcome];
  return `${paint(outcome === 'same' ? 'title' : 'bad', said)}  ${parts.join('; ')}   exit ${code}`;
}

const sideText = ({ files, size, tensorCount }: Side): string =>
  `${counted(files.length, 'file')}, ${bytes(size)}, ${counted(tensorCount, 'tensor')}`;
