// Text of an attacker in every place of a report that others can reach, and what a terminal or a CI runner would obey.
import fc from 'fast-check';
import type { Report } from '../../../src/baseline/report.ts';
import { specimenReport, specimenTensor } from './specimen.ts';

const NASTY = [
  '\x1b[2J\x1b]0;title\x07',
  '\r::stop-commands::x',
  '\n::error::x',
  ' ::set-output name=x::y',
  ':',
  '##[add-mask]x',
  '##vso[task.complete]',
  'section_start:1:x\r\x1b[0K',
  '\u202e\u2066\u200b\u2028\u2029\ufeff\u{e0041}\u{fe0f}',
  '\ud800',
  '\udc00',
  '\u009b31m',
  '\x7f\x00',
  '\\u{1b}',
  '\\',
  '\u0301\u0301\u0301\u0301\u0301',
  '   ',
  'PASS  no finding   exit 0: pass',
  '__proto__',
];
const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
export const foreign = fc
  .array(
    fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: 'binary' }), fc.string(), fc.string({ unit })),
    {
      maxLength: 4,
    },
  )
  .map((parts) => parts.join(''));

/** Path, name, message, value, dtype: properties take these and not reports, so that a counterexample can be read. */
export const hostile = fc.tuple(foreign, foreign, foreign, foreign, foreign);

/** The specimen with foreign text in every place that text of others can reach. */
export function hostileReport([path, name, message, value, dtype]: [
  string,
  string,
  string,
  string,
  string,
]): Report {
  const plain = specimenReport();
  const told = { file: path, tensor: name, message, expected: value, actual: dtype };
  return {
    ...plain,
    files: plain.files.map((file) => ({ ...file, path, metadata: [{ key: name, type: 'string', value }] })),
    tensors: [...plain.tensors, specimenTensor(name, { file: path, dtype })].map((tensor, index) =>
      index % 2 === 0 ? { ...tensor, name: `${index}${name}`, file: path } : { ...tensor, name, dtype },
    ),
    findings: plain.findings.map((finding) => ({ ...finding, ...told })),
    errors: plain.errors.map((error) => ({ ...error, file: path, errno: value, message })),
  };
}

/** What a terminal or a CI runner would obey; undefined when there is nothing. */
export function obeyed(text: string): string | undefined {
  if (/[^\P{C}\n]|[\p{Zl}\p{Zp}\u200b]/u.test(text))
    return 'control, format, surrogate or unassigned character';
  return text
    .split('\n')
    .find((line) => /^\s*::/.test(line) || line.includes('##') || /section_(start|end):/.test(line));
}
