// Verdicts in the formats of other tools: what their own validators say, their limits, and names that want to be markup or commands.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { type DefaultTreeAdapterMap, parseFragment } from 'parse5';
import { type Test, test } from 'tap';
import type { Report } from '../../src/baseline/report.ts';
import { REPORT_FORMATS, type ReportFormat } from '../../src/document/text/report-format.ts';
import { renderReport } from '../../src/report/format/format.ts';
import { written } from '../../src/report/format/table.ts';
import { packageRoot } from '../kit/root.ts';
import { hostile, hostileReport, obeyed } from '../kit/specimen/hostile.ts';
import { specimenReport } from '../kit/specimen/specimen.ts';

const NOW = new Date('2026-01-02T03:04:05Z');
const as = (report: Report, format: ReportFormat): string =>
  written(report, format, { base: 'models/llama', now: NOW });
const RUNS = { numRuns: Number(process.env.STEELYARD_RUNS ?? 2000) };
const folder = mkdtempSync(join(tmpdir(), 'steelyard-formats-'));

test('every format as golden files', async (t) => {
  for (const format of REPORT_FORMATS) {
    const path = join(packageRoot, 'fixtures', 'golden', `report.${format}.txt`);
    const text = await renderReport(specimenReport(), format, { base: 'models/llama', now: NOW });
    if (process.env.STEELYARD_UPDATE_GOLDEN === '1') writeFileSync(path, text);
    t.equal(text, readFileSync(path, 'utf8'), format);
    t.equal(text, as(specimenReport(), format), `${format}: the same bytes again`);
  }
});

/** The validator of the people who wrote much of the standard; it holds the rules of GitHub code scanning too. */
function multitool(): string | undefined {
  const peers = createRequire(join(packageRoot, 'test', 'peers', 'package.json'));
  try {
    return join(dirname(peers.resolve('@microsoft/sarif-multitool-linux/package.json')), 'Sarif.Multitool');
  } catch {
    return undefined;
  }
}

interface Log {
  readonly runs: readonly {
    readonly invocations: readonly { readonly toolExecutionNotifications?: readonly object[] }[];
    readonly results?: readonly {
      readonly ruleId: string;
      readonly level?: string;
      readonly message: object;
    }[];
  }[];
}

function judged(tool: string, text: string, name: string): string[] {
  const [file, out] = [join(folder, `${name}.sarif`), join(folder, `${name}.out.sarif`)];
  writeFileSync(file, text);
  const env = { ...process.env, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1' };
  const args = ['validate', file, '--output', out, '--rule-kind', 'Sarif;Ghas', '--level', 'Error;Warning'];
  const { stdout, stderr } = spawnSync(tool, [...args, '--log', 'ForceOverwrite'], { env, encoding: 'utf8' });
  if (!stdout.includes('1 files scanned')) throw new Error(stdout + stderr);
  const { runs } = JSON.parse(readFileSync(out, 'utf8')) as Log;
  return (runs[0]!.results ?? [])
    .map(({ ruleId, message }) => `${ruleId} ${JSON.stringify(message)}`)
    .filter((one) => !one.includes('ProvideToolnformationUri')); // the project has no home page that it could name
}

/** The schema of OASIS lies in the validator as a resource; a document that does not fit it is passed over in silence there. */
function schemaIn(tool: string): ValidateFunction {
  const program = readFileSync(tool);
  const title = program.indexOf(
    '"title": "Static Analysis Results Format (SARIF) Version 2.1.0 JSON Schema"',
  );
  const from = program.lastIndexOf('{', title);
  const text = program.toString('utf8', from, program.indexOf('\n}', from) + 2);
  return new Ajv2020({ strict: false, validateFormats: false }).compile(JSON.parse(text));
}

const skip = multitool() === undefined ? 'NOT RUN: no SARIF validator (npm ci --prefix test/peers)' : false;

test('SARIF: the validator of Microsoft, with the rules of GitHub', { skip }, (t) => {
  const tool = multitool()!;
  execFileSync('chmod', ['+x', tool]);
  const valid = schemaIn(tool);
  const text = as(specimenReport(), 'sarif');
  t.same(judged(tool, text, 'specimen'), []);
  t.ok(valid(JSON.parse(text)), JSON.stringify(valid.errors));
  t.not(
    judged(tool, text.replaceAll('"locations"', '"relatedLocations"'), 'broken').length,
    0,
    'it sees a fault',
  );
  t.notOk(valid(JSON.parse(text.replaceAll('"ruleId"', '"ruleID"'))), 'the schema sees one');
  fc.assert(
    fc.property(hostile, (parts) => judged(tool, as(hostileReport(parts), 'sarif'), 'hostile').length === 0),
    { numRuns: 5 },
  );
  fc.assert(
    fc.property(hostile, (parts) => valid(JSON.parse(as(hostileReport(parts), 'sarif')))),
    { numRuns: RUNS.numRuns / 4 },
  );
  t.end();
});

interface Sarif {
  readonly runs: readonly [
    {
      readonly results: readonly {
        readonly locations: readonly [
          { readonly physicalLocation: { readonly artifactLocation: { readonly uri: string } } },
        ];
        readonly partialFingerprints: Readonly<Record<string, string>>;
      }[];
      readonly invocations: readonly [{ readonly toolExecutionNotifications: readonly object[] }];
    },
  ];
}
const sarif = (report: Report) => (JSON.parse(as(report, 'sarif')) as Sarif).runs[0];

test('SARIF: limits of GitHub, fingerprints that stay, URIs that stay in the folder', (t) => {
  const report = specimenReport();
  const [finding] = report.findings;
  const many = Array.from({ length: 25_003 }, (_, index) => ({ ...finding!, message: `${index}` }));
  const run = sarif({ ...report, findings: many });
  t.equal(run.results.length, 25_000);
  t.match(run.invocations[0].toolExecutionNotifications.at(-1), { message: { text: /^3 more findings/ } });
  const prints = (one: Report) =>
    sarif(one).results.map((result) => result.partialFingerprints['steelyard/v1']);
  const reversed = { ...report, findings: [...report.findings].reverse() };
  t.same(new Set(prints(report)), new Set(prints(reversed)));
  fc.assert(
    fc.property(hostile, (parts) =>
      sarif(hostileReport(parts)).results.every(({ locations }) => {
        const { uri } = locations[0].physicalLocation.artifactLocation;
        return (
          /^(?:[A-Za-z0-9\-_.!~*'()/]|%[0-9A-F]{2})+$/.test(uri) &&
          !/(^|\/)\.\.?(\/|$)/.test(uri) &&
          !/^[/]/.test(uri)
        );
      }),
    ),
    RUNS,
  );
  t.end();
});

test('JUnit: well-formed, the counts are right', { skip: missing('xmllint') }, (t) => {
  const xsd = process.env.STEELYARD_JUNIT_XSD;
  if (xsd === undefined)
    t.comment('NOT RUN: no junit-10.xsd (STEELYARD_JUNIT_XSD); only well-formedness was checked');
  const check = (text: string): string => {
    const { stderr, status } = spawnSync(
      'xmllint',
      ['--noout', ...(xsd === undefined ? [] : ['--schema', xsd]), '-'],
      {
        input: text,
        encoding: 'utf8',
      },
    );
    return status === 0 ? '' : stderr;
  };
  t.equal(check(as(specimenReport(), 'junit')), '');
  t.not(
    check('<testsuites><case/></testsuites>'.slice(0, xsd === undefined ? -3 : undefined)),
    '',
    'it sees a fault',
  );
  const files = Array.from(
    { length: 300 },
    (_, index) => fc.sample(hostile, { numRuns: 1, seed: index })[0]!,
  );
  for (const parts of files) t.equal(check(as(hostileReport(parts), 'junit')), '');
  const text = as(specimenReport(), 'junit');
  const count = (pattern: RegExp): number => [...text.matchAll(pattern)].length;
  const [, tests, failures, errors] = /<testsuites [^>]*tests="(\d+)" failures="(\d+)" errors="(\d+)"/.exec(
    text,
  )!;
  t.same(
    [Number(tests), Number(failures), Number(errors)],
    [count(/<testcase /g), count(/<failure /g), count(/<error /g)],
  );
  t.end();
});

function missing(program: string): string | false {
  return spawnSync(program, ['--version']).error === undefined
    ? false
    : `NOT RUN: there is no ${program} here`;
}

type Node = DefaultTreeAdapterMap['node'];
const ALLOWED = new Set([
  'h2',
  'p',
  'ul',
  'li',
  'code',
  'strong',
  'table',
  'thead',
  'tbody',
  'tr',
  'th',
  'td',
]);

function elements(node: Node): Node[] {
  const children = 'childNodes' in node ? node.childNodes : [];
  return [...('tagName' in node ? [node] : []), ...children.flatMap(elements)];
}

test('Markdown: a name ends no code span, no row and no list', { skip: missing('cmark-gfm') }, (t) => {
  const html = (text: string): string =>
    execFileSync('cmark-gfm', ['--unsafe', '-e', 'table', '-e', 'autolink', '-e', 'strikethrough'], {
      input: text,
      encoding: 'utf8',
    });
  for (let seed = 0; seed < 100; seed++) {
    const [parts] = fc.sample(hostile, { numRuns: 1, seed });
    const marked = parts!.map(
      (one, at) => one + ['`|x|`', '``<b>|', '](javascript:x)', '\\`|', '|\\'][at]!,
    ) as typeof parts;
    const report = hostileReport(marked!);
    const all = elements(parseFragment(html(as(report, 'markdown'))));
    const tags = all.map((node) => ('tagName' in node ? node.tagName : ''));
    t.same(
      tags.filter((tag) => !ALLOWED.has(tag)),
      [],
    );
    t.equal(tags.filter((tag) => tag === 'tr').length, report.findings.length + 1);
    t.equal(tags.filter((tag) => tag === 'td').length, report.findings.length * 4);
  }
  t.end();
});

test('annotations: a line is a command of ours, and nothing else is one', (t) => {
  const line = /^::(error|warning|notice)( [a-z]+=[^,:\r\n]*(,[a-z]+=[^,:\r\n]*)*)?::[^\r\n]*$/;
  fc.assert(
    fc.property(hostile, (parts) => {
      const lines = as(hostileReport(parts), 'annotations').trimEnd().split('\n');
      return lines.every((one) => line.test(one));
    }),
    RUNS,
  );
  t.end();
});

test('no format obeys a name', (t) => {
  for (const format of REPORT_FORMATS.filter((one) => one !== 'annotations' && one !== 'markdown'))
    fc.assert(
      fc.property(hostile, (parts) => obeyed(as(hostileReport(parts), format)) === undefined),
      { numRuns: RUNS.numRuns / 4 },
    );
  t.end();
});

interface Issue {
  readonly severity: string;
  readonly fingerprint: string;
  readonly location: { readonly path: string; readonly lines: { readonly begin: number } };
}

test('GitLab: the fields of its documentation', async (t: Test) => {
  const issues = JSON.parse(as(specimenReport(), 'gitlab-code-quality')) as Issue[];
  t.equal(issues.length, specimenReport().findings.filter(({ waived }) => waived === undefined).length);
  for (const { severity, fingerprint, location } of issues) {
    t.ok(['info', 'minor', 'major', 'critical', 'blocker'].includes(severity));
    t.match(fingerprint, /^[0-9a-f]{32}$/);
    t.match(location.path, /^models\/llama\//);
    t.equal(location.lines.begin, 1);
  }
  t.match(JSON.parse(as(specimenReport(), 'gitlab-sast')), {
    version: '15.0.7',
    scan: { type: 'sast', start_time: '2026-01-02T03:04:05', scanner: { vendor: { name: 'Steelyard' } } },
  });
  await t.rejects(renderReport(specimenReport(), 'gitlab-sast'), { code: 'USAGE' });
});
