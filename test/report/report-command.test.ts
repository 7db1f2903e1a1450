// `--report` and `convert` as they are run: the same bytes by either way, paths from the root of the repository, refusals.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { REPORT_FORMATS } from '../../src/document/text/report-format.ts';
import { packageRoot } from '../kit/root.ts';
import { steelyard } from '../kit/steelyard.ts';

const MODEL = 'fixtures/real/tiny-lora';
/** A SAST report has a time. */
const steady = (text: string): string => text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/g, '<time>');

function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'steelyard-reports-'));
  t.comment(folder);
  return folder;
}

test('one scan writes every format, and convert writes the same from its JSON', async (t) => {
  const folder = folderOf(t);
  const wanted = REPORT_FORMATS.flatMap((format) => ['--report', `${format}=${join(folder, format)}`]);
  const json = join(folder, 'report.json');
  const scan = await steelyard(['scan', MODEL, '--format', 'json', '-o', json, ...wanted]);
  t.equal(scan.code, 0, scan.stderr);
  for (const format of REPORT_FORMATS) {
    const direct = readFileSync(join(folder, format), 'utf8');
    const { stdout, code, stderr } = await steelyard(['convert', json, '--to', format, '--base', MODEL]);
    t.equal(code, 0, stderr);
    t.equal(steady(stdout), steady(direct), format);
  }
  t.match(readFileSync(join(folder, 'sarif'), 'utf8'), `"uri": "${MODEL}/adapter_model.safetensors"`);
  const { stdout } = await steelyard(['scan', join(packageRoot, MODEL), '--format', 'annotations']);
  t.match(stdout, `file=${MODEL}/adapter_model.safetensors,line=1`, 'an absolute path within the repository');
});

test('a failing model: exit 1, and the reports are there', async (t) => {
  const folder = folderOf(t);
  mkdirSync(join(folder, 'model'));
  writeFileSync(join(folder, 'model', 'model.safetensors'), 'broken');
  const file = join(folder, 'out.xml');
  const scan = await steelyard(['scan', join(folder, 'model'), '--quiet', '--report', `junit=${file}`]);
  t.equal(scan.code, 1);
  t.match(readFileSync(file, 'utf8'), /<failure type="critical"/);
});

test('lint, diff, and drift packages write them too', async (t) => {
  const folder = folderOf(t);
  const at = (name: string): string => join(folder, name);
  writeFileSync(
    at('pod.yaml'),
    'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: vllm/vllm-openai}]}\n',
  );
  const lint = await steelyard([
    'lint',
    at('pod.yaml'),
    '--format',
    'json',
    '--report',
    `sarif=${at('lint')}`,
  ]);
  t.equal(lint.code, 1, lint.stderr);
  writeFileSync(at('lint.json'), lint.stdout);
  t.match(readFileSync(at('lint'), 'utf8'), /"startLine": [2-9]/, 'findings of a manifest have lines');
  const again = await steelyard(['convert', at('lint.json'), '--to', 'sarif']);
  t.equal(again.stdout, readFileSync(at('lint'), 'utf8'));
  const diff = await steelyard(['diff', MODEL, MODEL, '--report', `markdown=${at('diff')}`]);
  t.equal(diff.code, 0, diff.stderr);
  t.match(readFileSync(at('diff'), 'utf8'), /^## Steelyard diff: PASS\n/);
  const components = [{ name: 'a', purl: 'pkg:pypi/a@1' }];
  writeFileSync(at('sbom.json'), JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', components }));
  writeFileSync(at('pip.json'), JSON.stringify({ version: '1', installed: [] }));
  const list = ['--sbom', at('sbom.json'), '--pip', at('pip.json')];
  const drift = await steelyard(['drift', 'packages', ...list, '--report', `annotations=${at('drift')}`]);
  t.equal(drift.code, 1, drift.stderr);
  t.match(readFileSync(at('drift'), 'utf8'), /^::error file=.*drift\/package-removed/);
});

test('what is refused, and how', async (t) => {
  const folder = folderOf(t);
  const file = join(folder, 'x.json');
  const told = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await steelyard(args);
    t.equal(code, 2, stderr);
    return stderr;
  };
  t.match(await told('scan', MODEL, '--report', 'sarif'), /FORMAT=FILE; the formats are sarif, junit/);
  t.match(await told('scan', MODEL, '--report', 'pdf=x'), /FORMAT=FILE/);
  t.match(await told('scan', MODEL, '--report', `sarif=${MODEL}/adapter_model.safetensors`), /weight file/);
  writeFileSync(file, '{"schema":"steelyard/profile/1"}');
  t.match(await told('convert', file, '--to', 'sarif'), /no verdict: its field schema must be one of/);
  writeFileSync(file, '{"schema":"steelyard/report/1","schema":"steelyard/report/1"}');
  t.match(await told('convert', file, '--to', 'sarif'), /INVALID_DOCUMENT/);
  writeFileSync(file, '{"schema":"steelyard/report/1"}');
  t.match(await told('convert', file, '--to', 'sarif'), /INVALID_DOCUMENT/);
});
