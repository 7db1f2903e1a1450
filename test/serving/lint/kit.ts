// What the tests of lint share: the files of fixtures/serving/lint, and manifests that are written in a test.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LintOptions, lint, releaseOf, type ServingReport } from '../../../src/serving/lint/lint.ts';
import { packageRoot } from '../../kit/root.ts';

export const FIXTURES = join(packageRoot, 'fixtures', 'serving', 'lint');
export const RELEASE = releaseOf(readFileSync(join(FIXTURES, 'release.mbom.yaml')));
export const DIGEST = `sha256:${'ab'.repeat(32)}`;

export const lintText = (
  text: string,
  file = 'manifest.yaml',
  options: LintOptions = {},
): Promise<ServingReport> => lint([{ file, bytes: Buffer.from(text) }], options);

/** Rules of a subject, each once. */
export const rulesOf = ({ findings }: ServingReport, subject = /./): string[] =>
  [...new Set(findings.map(({ rule }) => rule))].filter((rule) => subject.test(rule)).sort();

/** A pod with one container, in which every rule of hardening would fire if nothing more is said. */
export const pod = (container: string, spec = ''): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n    - name: c\n${indented(container, 6)}\n${indented(spec, 2)}\n`;

export const indented = (text: string, by: number): string =>
  text
    .split('\n')
    .map((line) => ' '.repeat(by) + line)
    .join('\n');
