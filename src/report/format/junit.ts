// JUnit XML as Jenkins reads it (junit-10.xsd): a suite for each file, a case for each family of rules.
import { inert } from '../../document/text/inert.ts';
import type { NeutralReport, Problem, Unseen } from '../neutral/neutral.ts';
import { groupedBy, told } from './told.ts';

/** Case names are what trends are made of, so a file that passes has one too. */
const PASSED = 'steelyard';

export function renderJunit(report: NeutralReport): string {
  const suites = suitesOf(report);
  const total = (count: (suite: Suite) => number): number => suites.reduce((sum, one) => sum + count(one), 0);
  const head = attributes({
    name: `steelyard ${report.command}`,
    tests: total(casesOf),
    failures: total(failuresOf),
    errors: total(errorsOf),
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${head}>`,
    ...suites.flatMap(suiteLines),
    '</testsuites>',
    '',
  ].join('\n');
}

interface Suite {
  readonly file: string;
  /** By the part of the rule's name before the slash. */
  readonly families: ReadonlyMap<string, readonly Problem[]>;
  readonly errors: readonly Unseen[];
}

const failuresOf = ({ families }: Suite): number =>
  [...families.values()].filter((problems) => problems.some(({ fails }) => fails)).length;
const errorsOf = ({ errors }: Suite): number => (errors.length === 0 ? 0 : 1);
const casesOf = (suite: Suite): number => Math.max(1, suite.families.size + errorsOf(suite));

function suitesOf({ files, problems, errors, outcome, reason }: NeutralReport): Suite[] {
  const unseen: readonly Unseen[] =
    outcome === 'error' && errors.length === 0 ? [{ code: 'NO_VERDICT', file: '', message: reason }] : errors;
  const named = [
    ...files.map(({ path }) => path),
    ...problems.map(({ file }) => file),
    ...unseen.map(({ file }) => file),
  ];
  const byFile = groupedBy(problems, ({ file }) => file);
  return [...new Set(named)].map((file) => ({
    file,
    families: groupedBy(byFile.get(file) ?? [], ({ rule }) => rule.split('/')[0]!),
    errors: unseen.filter((error) => error.file === file),
  }));
}

function suiteLines(suite: Suite): string[] {
  const name = suite.file === '' ? 'no file' : inert(suite.file);
  const counts = { tests: casesOf(suite), failures: failuresOf(suite), errors: errorsOf(suite) };
  const cases = [
    ...[...suite.families].flatMap(([family, problems]) => caseLines(family, name, problems)),
    ...errorLines(suite.errors, name),
  ];
  return [
    `  <testsuite ${attributes({ name, ...counts })}>`,
    ...(cases.length === 0 ? [`    <testcase ${attributes({ name: PASSED, classname: name })}/>`] : cases),
    '  </testsuite>',
  ];
}

function caseLines(family: string, classname: string, problems: readonly Problem[]): string[] {
  const failing = problems.filter(({ fails }) => fails);
  const others = problems.filter(({ fails }) => !fails);
  const body = [
    ...failing
      .slice(0, 1)
      .map(({ rule, severity }) =>
        element(
          'failure',
          { type: severity, message: `${failing.length} of ${rule} and its family fail` },
          failing,
        ),
      ),
    ...(others.length === 0 ? [] : [element('system-out', {}, others)]),
  ];
  return [`    <testcase ${attributes({ name: family, classname })}>`, ...body, '    </testcase>'];
}

const element = (
  name: string,
  heads: Readonly<Record<string, string>>,
  problems: readonly Problem[],
): string => {
  const text = problems.map((one) => `${one.severity} ${inert(one.rule)}: ${told(one)}`).join('\n');
  const head = Object.keys(heads).length === 0 ? name : `${name} ${attributes(heads)}`;
  return `      <${head}>${escaped(text)}</${name}>`;
};

function errorLines(errors: readonly Unseen[], classname: string): string[] {
  if (errors.length === 0) return [];
  const text = errors.map(({ code, message }) => `${code}: ${inert(message, 600)}`).join('\n');
  const head = attributes({ type: errors[0]!.code, message: 'not everything was looked at' });
  return [
    `    <testcase ${attributes({ name: 'looked at', classname })}>`,
    `      <error ${head}>${escaped(text)}</error>`,
    '    </testcase>',
  ];
}

const attributes = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}="${escaped(String(value))}"`)
    .join(' ');

/** What is inert has no control character, so only markup is left; noncharacters are no XML (XML 1.0, 2.2). */
const escaped = (text: string): string => text.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);
