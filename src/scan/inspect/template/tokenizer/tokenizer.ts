// Every tokenizer of a model. It stands between people and the model: who changes it changes what is asked and what is answered, without
// touching a weight. Pure.
import type { JsonObject, JsonValue } from '../../../../document/json/value.ts';
import { quoted } from '../../../../document/violations.ts';
import { type Finding, toFinding } from '../../../../rules/finding.ts';
import { type Check, unhurried } from '../../../../runtime/turn.ts';
import type { MeasuredFile } from '../../../measure/measured.ts';
import { folderOf, isTokenizer, isVocabulary } from '../../../model/companion.ts';
import type { FileTemplates } from '../../../profile/template/collect.ts';
import { addedOf, departures, type Texts, textsOf } from './agreement.ts';
import { ggufProblems, ggufTexts } from './gguf-tokens.ts';
import { type Problem, readSettings, readTokenizer, readVocabulary } from './reading.ts';
import { rewritings } from './rewriting.ts';
import { isWord, lookalikeMarkers, tokenProblems } from './tokens.ts';

/** Of one rule in one file. */
const PLACES = 20;

export function inspectTokenizers(
  files: readonly MeasuredFile[],
  templates: readonly FileTemplates[],
  check: Check = unhurried,
): Finding[] {
  const folders = new Map<string, Beside[]>();
  for (const [index, file] of files.entries()) {
    const folder = folderOf(file.entry.path);
    const inside = folders.get(folder) ?? [];
    folders.set(folder, inside);
    inside.push({ file, templates: templates[index]!.templates });
  }
  return [...folders.values()].flatMap((inside) => inspectFolder(inside, check));
}

/** A file with the chat templates in it. */
interface Beside {
  readonly file: MeasuredFile;
  readonly templates: FileTemplates['templates'];
}

/** What a folder says of its vocabulary. */
interface Told {
  readonly path: string;
  readonly texts: Texts;
}

function inspectFolder(files: readonly Beside[], check: Check): Finding[] {
  const found: Finding[] = [];
  const told: Told[] = [];
  const add = (file: string, problems: readonly Problem[]): void => {
    for (const problem of problems.slice(0, PLACES)) found.push(toFinding({ ...problem, file }));
  };
  for (const { file } of files) {
    check();
    const { path } = file.entry;
    const { problems, texts } = toldBy(file, check);
    add(path, problems);
    if (texts.size > 0) told.push({ path, texts });
  }
  const [first, ...others] = told.sort((a, b) => Number(isTokenizer(b.path)) - Number(isTokenizer(a.path)));
  if (first === undefined) return found;
  // Two GGUF files of one folder may be two models.
  if (/\.json$/i.test(first.path))
    for (const { path, texts } of others) add(path, departures(first.texts, texts, path));
  const known = new Set([...first.texts.values()].map(({ text }) => text));
  const isComplete = isTokenizer(first.path) || !/\.json$/.test(first.path);
  if (isComplete)
    for (const { file, templates } of files)
      for (const { text } of templates.slice(0, PLACES))
        add(file.entry.path, lookalikeMarkers(text.slice(0, TEMPLATE_MAX), known));
  return found;
}

function toldBy(file: MeasuredFile, check: Check): { problems: Problem[]; texts: Texts } {
  const { layout, document } = file;
  const { path } = file.entry;
  if (layout?.format === 'gguf') return { problems: ggufProblems(layout), texts: ggufTexts(layout) };
  if (!isTokenizer(path) && !isVocabulary(path) && !SETTINGS.test(path)) return NOTHING;
  if (document === null) {
    const message = `${file.size} bytes: not looked at`;
    return { problems: [{ rule: 'tokenizer/unreadable', message }], texts: new Map() };
  }
  if (isTokenizer(path)) {
    const tokenizer = readTokenizer(document, check);
    const problems = [...tokenizer.problems, ...rewritings(tokenizer), ...tokenProblems(tokenizer)];
    return { problems, texts: textsOf(tokenizer) };
  }
  if (isVocabulary(path)) {
    const tokenizer = readVocabulary(document, check);
    return { problems: tokenizer.problems, texts: textsOf(tokenizer) };
  }
  const settings = readSettings(document, ['added_tokens_decoder', ...ENDS]);
  const added = addedOf(settings.get('added_tokens_decoder'));
  const tokenizer = { vocabulary: new Map<string, number>(), added, parts: new Map(), problems: [] };
  const ends = ENDS.map((key) => [key, contentOf(settings.get(key))] as const);
  const spoken = ends
    .filter(([, text]) => isWord(text))
    .map(([key, text]): Problem => {
      const message = `${quoted(key)} is the word ${quoted(text)}: there the model stops, or begins`;
      return { rule: 'tokenizer/word-control', message };
    });
  return { problems: [...tokenProblems(tokenizer), ...spoken], texts: textsOf(tokenizer) };
}

const NOTHING: { problems: Problem[]; texts: Texts } = { problems: [], texts: new Map() };
const SETTINGS = /(?:^|\/)(?:tokenizer_config|special_tokens_map)\.json$/;
/** Tokens at which a text begins or ends. */
const ENDS = ['bos_token', 'eos_token'];
/** Characters of a template in which markers are looked for. */
const TEMPLATE_MAX = 1 << 18;

/** "</s>", or {"content": "</s>", …}. */
function contentOf(value: JsonValue | undefined): string {
  const content = value instanceof Map ? (value as JsonObject).get('content') : value;
  return typeof content === 'string' ? content : '';
}
