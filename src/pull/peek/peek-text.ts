// A peek for people: what the headers say, and what nobody looked at.
import { inert } from '../../document/text/inert.ts';
import { bytes, counted, grouped } from '../../document/text/quantity.ts';
import type { Peek } from './peeked.ts';

/** Lines of each kind: a model has hundreds of files and thousands of tensors. */
const SHOWN = 20;
const WIDTH = 2000;

/** `all`: every file and tensor. */
export function renderPeek(peek: Peek, all: boolean): string {
  const { source, files, tensors, findings, notLookedAt, requests, bytesRead } = peek;
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const elements = tensors.reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
  const most = all ? Number.POSITIVE_INFINITY : SHOWN;
  return `${[
    `source  ${inert(source, WIDTH)}`,
    `model   ${counted(files.length, 'file')}, ${bytes(size)}, ${counted(tensors.length, 'tensor')}, ${grouped(elements)} elements`,
    ...few(
      files.map(
        (file) =>
          `file    ${inert(file.path)}  ${bytes(file.size)}${file.format === null ? '' : `  ${file.format}`}`,
      ),
      most,
    ),
    ...few(
      tensors.map(
        ({ name, dtype, shape }) => `tensor  ${inert(name)}  ${inert(dtype)} [${shape.join(', ')}]`,
      ),
      most,
    ),
    ...few(
      findings.map(
        ({ severity, rule, file, message }) =>
          `${severity}  ${rule}  ${inert(file)}: ${inert(message, WIDTH)}`,
      ),
      Number.POSITIVE_INFINITY,
    ),
    `read    ${bytes(bytesRead)} in ${counted(requests, 'range')}`,
    ...notLookedAt.map((what) => `NOT LOOKED AT  ${what}`),
  ].join('\n')}\n`;
}

const few = (lines: readonly string[], most: number): readonly string[] =>
  lines.length <= most
    ? lines
    : [...lines.slice(0, most), `        and ${grouped(lines.length - most)} more (--all)`];
