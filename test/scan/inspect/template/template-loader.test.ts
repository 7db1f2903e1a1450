// Which chat template a loader uses: what is said of generated folders, and what transformers and an engine really take of them.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { buildFile } from '../../../../fixtures/build.ts';
import { scan } from '../../../../src/index.ts';
import { renderJson } from '../../../../src/report/report-json.ts';
import { renderText } from '../../../../src/report/text/text.ts';
import type { Finding } from '../../../../src/rules/finding.ts';
import { atOnce } from '../../../../src/runtime/turn.ts';
import { readLayout } from '../../../../src/scan/format/format.ts';
import { inspectTemplates } from '../../../../src/scan/inspect/template/template.ts';
import type { MeasuredFile } from '../../../../src/scan/measure/measured.ts';
import { templatesOf } from '../../../../src/scan/profile/template/collect.ts';
import { type LoaderChoice, loaderChoices } from '../../../../src/scan/profile/template/loader/loader.ts';
import { patience } from '../../../kit/patience.ts';
import { packageRoot } from '../../../kit/root.ts';
import { without } from '../../../kit/runner/engine.ts';

t.setTimeout(patience(240_000));

type Folder = Readonly<Record<string, unknown>>;

/** Every template is its own address, so that what was used says where it is from. */
const DOCUMENTS: Readonly<Record<string, readonly [path: string, content: unknown][]>> = {
  config: [['tokenizer_config.json', { chat_template: 'config:default' }]],
  named: [
    [
      'tokenizer_config.json',
      {
        chat_template: [
          { name: 'default', template: 'config:default' },
          { name: 'tool_use', template: 'config:tool_use' },
        ],
      },
    ],
  ],
  listing: [['tokenizer_config.json', { chat_template: 'config:default', added_tokens_decoder: {} }]],
  map: [['special_tokens_map.json', { chat_template: 'map:default' }]],
  jinja: [['chat_template.jinja', 'jinja:default']],
  extra: [['additional_chat_templates/default.jinja', 'extra:default']],
  usurper: [['additional_chat_templates/file.jinja', 'usurper:default']],
  tools: [['additional_chat_templates/tool_use.jinja', 'extra:tool_use']],
  processor: [['processor_config.json', { chat_template: 'processor:default' }]],
  legacy: [['chat_template.json', { chat_template: 'legacy:default' }]],
};
const OPTIONAL = ['map', 'jinja', 'extra', 'usurper', 'tools', 'processor', 'legacy'];

/** All folders of these documents. */
function folders(): Folder[] {
  const found: Folder[] = [];
  for (const config of ['config', 'named', 'listing', ''])
    for (let mask = 0; mask < 1 << OPTIONAL.length; mask++) {
      const kinds = [config, ...OPTIONAL.filter((_, index) => (mask >> index) & 1)].filter(
        (kind) => kind !== '',
      );
      if (kinds.length > 0) found.push(Object.fromEntries(kinds.flatMap((kind) => DOCUMENTS[kind]!)));
    }
  return found;
}

const bytesOf = (content: unknown): Uint8Array =>
  content instanceof Uint8Array
    ? content
    : Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));

/** Files as the measure stage returns them. */
function measured(folder: Folder): MeasuredFile[] {
  return Object.entries(folder).map(([path, content]) => {
    const bytes = bytesOf(content);
    const format = path.endsWith('.gguf') ? ('gguf' as const) : null;
    const source = {
      size: bytes.length,
      read: (start: number, size: number) => bytes.subarray(start, start + size),
    };
    return {
      entry: { path, absolute: path },
      format,
      size: bytes.length,
      sha256: '',
      layout: format === null ? null : atOnce(readLayout(format, source)),
      violations: [],
      kind: format ?? 'text',
      state: 'examined',
      document: format === null ? bytes : null,
      tensors: [],
      identity: '',
      kernel: '',
      seconds: 0,
    } as MeasuredFile;
  });
}

function choicesIn(folder: Folder): LoaderChoice[] {
  const files = measured(folder);
  return loaderChoices(files, files.map(templatesOf));
}

function findingsIn(folder: Folder): Finding[] {
  const files = measured(folder);
  return inspectTemplates(files, files.map(templatesOf));
}

/** The text that a loader uses, by our word. */
function said(folder: Folder, loader: string, request: 'plain' | 'tools'): string | null {
  const choice = choicesIn(folder).find(
    (one) => one.loader === loader && (one.request === 'any' || one.request === request),
  );
  if (!choice?.used) return null;
  const { file, template } = choice.used;
  const content = folder[file];
  if (typeof content === 'string') return content;
  const value = (content as { chat_template: string | { name: string; template: string }[] }).chat_template;
  return typeof value === 'string' ? value : (value.find(({ name }) => name === template)?.template ?? null);
}

const gguf = (...metadata: [key: string, value: string][]): Uint8Array =>
  buildFile({
    build: {
      format: 'gguf',
      metadata: [['general.architecture', 'llama'] as const, ...metadata].map(([key, value]) => ({
        key,
        type: 'string',
        value,
      })),
      tensors: [{ name: 'a', dtype: 'F32', shape: [8] }],
    },
  });
const KEY = 'tokenizer.chat_template';

const used = (folder: Folder): Record<string, string> =>
  Object.fromEntries(
    choicesIn(folder).map(({ loader, request, used }: LoaderChoice) => [
      request === 'any' ? loader : `${loader} ${request}`,
      used === null ? '-' : `${used.file}:${used.template}`,
    ]),
  );

t.test('each loader and its choice', (t) => {
  t.same(used({ 'README.md': 'x' }), {}, 'no template, nothing to say');
  t.same(used(Object.fromEntries([...DOCUMENTS.config!, ...DOCUMENTS.jinja!])), {
    'transformers (AutoTokenizer)': 'chat_template.jinja:default',
    vLLM: 'chat_template.jinja:default',
    'mlx-lm': 'chat_template.jinja:default',
    Ollama: 'tokenizer_config.json:default',
  });
  t.same(
    used({
      'chat_template.jinja': 'a',
      'preprocessor_config.json': '{}',
      'additional_chat_templates/default.jinja': 'b',
    }),
    {
      'transformers (AutoTokenizer)': 'additional_chat_templates/default.jinja:default',
      'transformers (AutoProcessor)': 'chat_template.jinja:default',
      'vLLM plain': 'chat_template.jinja:default',
      'vLLM tools': 'additional_chat_templates/default.jinja:default',
      'mlx-lm': 'additional_chat_templates/default.jinja:default',
    },
  );
  t.same(used({ 'tokenizer_config.json': { chat_template: 'a', chat_template_type: 'deepseek_v32' } }), {
    'transformers (AutoTokenizer)': 'tokenizer_config.json:default',
    vLLM: 'tokenizer_config.json:default',
    'mlx-lm': '-',
    Ollama: 'tokenizer_config.json:default',
  });
  t.same(used({ 'm.gguf': gguf([KEY, 'a'], [`${KEY}.tool_use`, 'b']) }), {
    'llama.cpp plain': 'm.gguf:default',
    'llama.cpp tools': 'm.gguf:tool_use',
    Ollama: 'm.gguf:default',
  });
  t.same(used({ 'm.gguf': gguf([`${KEY}.tool_use`, 'b']) }), { 'llama.cpp': 'm.gguf:tool_use' });
  for (const none of ['', 'chatml'])
    t.match(
      used({ 'm.gguf': gguf([KEY, none], [`${KEY}.rag`, 'b']) }),
      { 'llama.cpp': '-' },
      `'${none}' is none`,
    );
  t.end();
});

t.test('disagreements: of a folder, of its GGUF files, of the folders below', (t) => {
  const told = (folder: Folder): (readonly [string, string])[] =>
    findingsIn(folder)
      .filter(({ rule }) => rule === 'template/disagreement')
      .map(({ file, severity }) => [file, severity] as const);
  t.same(told({ 'chat_template.jinja': 'a', 'tokenizer_config.json': { chat_template: 'a\n' } }), []);
  t.same(told({ 'chat_template.jinja': 'a', 'additional_chat_templates/default.jinja': 'b' }), [
    ['additional_chat_templates/default.jinja', 'medium'],
  ]);
  t.same(told({ 'chat_template.jinja': 'a', 'additional_chat_templates/file.jinja': 'b' }), [
    ['additional_chat_templates/file.jinja', 'medium'],
  ]);
  t.same(told({ 'chat_template.jinja': 'a', 'm.gguf': gguf([KEY, 'b']) }), [['m.gguf', 'medium']]);
  t.same(told({ 'a.gguf': gguf([KEY, 'a']), 'b.gguf': gguf([KEY, 'b']) }), [], 'two models');
  t.same(told({ 'chat_template.jinja': 'a', 'original/chat_template.jinja': 'b' }), [
    ['original/chat_template.jinja', 'low'],
  ]);
  t.same(told({ 'chat_template.jinja': 'a', 'x/y/chat_template.jinja': 'b' }), [
    ['x/y/chat_template.jinja', 'low'],
  ]);
  t.same(told({ 'x/chat_template.jinja': 'a', 'y/chat_template.jinja': 'b' }), [], 'two models');
  t.end();
});

t.test('a folder of templates alone is examined, and a report says who uses what', async (t) => {
  const folder = t.testdir({
    'tool.jinja': '{{ messages }}',
    'chat_template.jinja': '{{ messages[0].content }}',
  });
  const report = await scan(join(folder, 'chat_template.jinja'));
  t.equal(report.verdict.outcome, 'pass');
  t.match(report.loaders, [
    { loader: 'transformers (AutoTokenizer)', request: 'any', used: { file: 'chat_template.jinja' } },
  ]);
  t.same(JSON.parse(renderJson(report)).loaders, report.loaders);
  t.match(
    renderText(report),
    /chat templates in use\n {2}transformers \(AutoTokenizer\), vLLM, mlx-lm: default of chat_template.jinja\n/,
  );
  const named = await scan(join(folder, 'tool.jinja'));
  t.equal(named.verdict.outcome, 'pass', 'a template of any name');
  t.equal((await scan(folder)).verdict.outcome, 'pass', 'a folder of templates');
  await t.rejects(scan(t.testdir({ 'README.md': 'x' })), { code: 'NOT_FOUND' });
});

const PYTHON = process.env.STEELYARD_PYTHON ?? 'python3';
const hasTransformers =
  spawnSync(PYTHON, ['-c', 'import transformers, tokenizers'], { stdio: 'ignore' }).status === 0;
const notRun = hasTransformers
  ? false
  : 'NOT RUN: no transformers here (pip install transformers tokenizers, interpreter in STEELYARD_PYTHON)';

const TOKENIZER = {
  version: '1.0',
  added_tokens: [],
  model: { type: 'WordLevel', vocab: { a: 0, '[UNK]': 1 }, unk_token: '[UNK]' },
};

t.test('transformers takes what we say, of every folder', { skip: notRun }, (t) => {
  const root = t.testdir();
  const all = folders();
  const paths = all.map((folder, index) => {
    const path = join(root, String(index));
    const files = { 'tokenizer.json': TOKENIZER, 'tokenizer_config.json': {}, ...folder };
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), bytesOf(content));
    }
    return path;
  });
  const script = join(packageRoot, 'fixtures', 'template-loaders.py');
  const ran = spawnSync(PYTHON, [script], {
    input: `${paths.join('\n')}\n`,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  t.equal(ran.status, 0, ran.stderr);
  const answers = ran.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string | null>);
  t.equal(answers.length, all.length);
  const wrong = all.flatMap((folder, index) => {
    const ours = {
      plain: said(folder, 'transformers (AutoTokenizer)', 'plain'),
      tools: said(folder, 'transformers (AutoTokenizer)', 'tools'),
      processor: said({ 'preprocessor_config.json': {}, ...folder }, 'transformers (AutoProcessor)', 'plain'),
    };
    return JSON.stringify(ours) === JSON.stringify(answers[index])
      ? []
      : [{ folder: Object.keys(folder), ours, theirs: answers[index] }];
  });
  t.same(wrong.slice(0, 3), [], `${wrong.length} of ${all.length} folders`);
  t.end();
});

t.test(
  'an engine reads the default template of the GGUF key that we name',
  { skip: without('node-llama-cpp') },
  async (t) => {
    const { readGgufFileInfo } = (await import('node-llama-cpp' as string)) as {
      readGgufFileInfo(path: string): Promise<{ metadata: { tokenizer: Record<string, unknown> } }>;
    };
    const root = t.testdir();
    const path = join(root, 'm.gguf');
    writeFileSync(path, gguf([KEY, 'plain'], [`${KEY}.tool_use`, 'tools']));
    const info = await readGgufFileInfo(path);
    t.match(JSON.stringify(info.metadata.tokenizer), /"chat_template":"plain"/);
  },
);
