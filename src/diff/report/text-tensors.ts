// One changed tensor in some lines of the text.
import { inert } from '../../document/text/inert.ts';
import { counted, grouped, rounded } from '../../document/text/quantity.ts';
import type { AxisChange, Difference, ElementChange, TensorChange } from './diff-report.ts';

const ROWS = 5;
const ELEMENTS = 5;
const VALUES = 4;

export function changeLines({ good, suspect, difference, reason }: TensorChange): string[] {
  const dtype = good.dtype === suspect.dtype ? good.dtype : `${good.dtype} → ${suspect.dtype}`;
  const head = `  ${inert(suspect.name)}  ${inert(dtype)} [${suspect.shape.join(', ')}]`;
  if (difference === null) return [head, `      ${reason}`];
  return [
    head,
    ...[...figures(difference), ...rowLines(difference), ...elementLines(difference)].map(indented),
  ];
}

const indented = (line: string): string => `      ${line}`;

function figures(difference: Difference): string[] {
  const { count, changed, relativeNorm, cosine, maxAbs, bits, spectrum, notFinite } = difference;
  const moved = relativeNorm === null ? '' : `, relative change ${rounded(relativeNorm)}`;
  const turned = cosine === null ? '' : `, cosine ${cosine.toPrecision(6)}`;
  const lines = [
    `${grouped(changed)} of ${counted(count, 'element')} changed${moved}${turned}, largest ${rounded(maxAbs)}`,
  ];
  if (notFinite > 0) lines.push(`${grouped(notFinite)} elements are not finite on one side`);
  const changedBits = bits?.flatMap((n, bit) => (n > 0 ? [bit] : [])) ?? [];
  if (changedBits.length > 0)
    lines.push(`bits changed: ${changedBits[0]} to ${changedBits.at(-1)} of 0 to ${bits!.length - 1}`);
  if (spectrum !== null) {
    const values = spectrum.values.slice(0, VALUES).map(rounded).join(', ');
    const [about, how] =
      spectrum.method === 'exact' ? ['', ''] : ['≈ ', ` (each at most ${rounded(spectrum.error)} too small)`];
    lines.push(
      `singular values ${about}${values}${how}, stable rank ${about}${rounded(spectrum.stableRank)}`,
    );
  }
  return lines;
}

function rowLines({ rows }: Difference): string[] {
  if (rows === null || rows.changed === 0) return [];
  const all = `${grouped(rows.changed)} of ${counted(rows.count, 'row')} changed`;
  const lines = rows.changed === rows.count ? [] : [`${all}, participation ${rounded(rows.participation)}`];
  return rows.changed > rows.count / 2 ? lines : [...lines, ...rows.largest.slice(0, ROWS).map(rowLine)];
}

function rowLine({ index, token, norm, goodNorm, suspectNorm }: AxisChange['largest'][number]): string {
  const name = token === undefined ? '' : ` ${inert(token)}`;
  return `  row ${grouped(index)}${name}: moved by ${rounded(norm)}, norm ${rounded(goodNorm)} → ${rounded(suspectNorm)}`;
}

function elementLines({ elements }: Difference): string[] {
  if (elements === null || elements.length > ROWS * ELEMENTS) return [];
  const lines = elements.slice(0, ELEMENTS).map(elementLine);
  return elements.length > ELEMENTS ? [...lines, `  … and ${elements.length - ELEMENTS} more`] : lines;
}

const elementLine = ({ index, good, suspect, goodBits, suspectBits }: ElementChange): string =>
  `  [${index.join(', ')}]  ${good ?? 'not finite'} → ${suspect ?? 'not finite'}  (${goodBits} → ${suspectBits})`;
