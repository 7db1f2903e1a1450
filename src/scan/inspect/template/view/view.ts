// The chat templates under a path, for people who read them: which loader takes which, what each depends on, what was found in it, and
// what makes it differ from the known one. Headers and documents are read, and no weights.
import { SteelyardError } from '../../../../rules/error.ts';
import { RULES, type Severity } from '../../../../rules/rules.ts';
import { atOnce, type Check, unhurried } from '../../../../runtime/turn.ts';
import { detectFormat, readLayout } from '../../../format/format.ts';
import type { MeasuredFile } from '../../../measure/measured.ts';
import { readDocument } from '../../../model/companion.ts';
import { type FileEntry, ModelFile } from '../../../model/file.ts';
import { listModel } from '../../../model/model.ts';
import { templateDigest, templatesOf } from '../../../profile/template/collect.ts';
import { type LoaderChoice, loaderChoices } from '../../../profile/template/loader/loader.ts';
import { checkTemplate } from '../check.ts';
import { parseTemplate } from '../jinja/parser.ts';
import { nodesOf, type Statement } from '../jinja/syntax.ts';
import { type Known, knownTemplate } from '../known.ts';
import { type Near, nearTemplate } from './near.ts';

export interface TemplateView {
  readonly file: string;
  readonly name: string;
  readonly digest: string;
  readonly text: string;
  /** The published template that it is, unchanged. */
  readonly known: Known | null;
  readonly near: Near | null;
  /** What it is given from outside and asks for, in the order of the text. */
  readonly depends: readonly string[];
  readonly findings: readonly Told[];
}

/** A finding with its place in the text, from 1. */
interface Told {
  readonly rule: string;
  readonly severity: Severity;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface TemplatesView {
  readonly loaders: readonly LoaderChoice[];
  readonly templates: readonly TemplateView[];
  /** Files that could not be read, and documents that could not be read as such. */
  readonly problems: readonly { readonly file: string; readonly message: string }[];
}

/** More templates than any folder has. */
const TEMPLATES_MAX = 256;

/** Throws what listing does, and NOT_FOUND where there is no template. */
export function templatesUnder(paths: readonly string[], check: Check = unhurried): TemplatesView {
  const { files, unscannable } = listModel(paths, { check });
  const problems = unscannable.map(({ file = '', message }) => ({ file, message }));
  const read: MeasuredFile[] = [];
  for (const entry of files) {
    check();
    try {
      read.push(opened(entry));
    } catch (error) {
      if (!(error instanceof SteelyardError)) throw error;
      problems.push({ file: entry.path, message: error.message });
    }
  }
  const found = read.map(templatesOf);
  for (const [index, { problems: wrong }] of found.entries())
    for (const { message } of wrong) problems.push({ file: read[index]!.entry.path, message });
  const templates = found
    .flatMap((one, index) =>
      one.templates.map(({ name, text }) => ({ file: read[index]!.entry.path, name, text })),
    )
    .slice(0, TEMPLATES_MAX)
    .map((template) => viewOf(template, check));
  if (templates.length === 0)
    throw new SteelyardError('NOT_FOUND', `there is no chat template under ${paths.join(', ')}`);
  return { loaders: loaderChoices(read, found), templates, problems };
}

/** A file as far as templates are concerned. */
function opened(entry: FileEntry): MeasuredFile {
  const file = ModelFile.open(entry);
  try {
    const format = detectFormat(entry.path, file.head(4));
    const layout = format === null ? null : atOnce(readLayout(format, file));
    const isSound = layout !== null && layout.headerSize !== null;
    return {
      entry,
      identity: file.identity,
      format,
      size: file.size,
      sha256: '',
      layout: isSound ? layout : null,
      violations: [],
      kind: format ?? 'text',
      state: 'examined',
      document: format === null ? readDocument(file) : null,
      tensors: [],
      kernel: '',
      seconds: 0,
    };
  } finally {
    file.close();
  }
}

function viewOf(template: Pick<TemplateView, 'file' | 'name' | 'text'>, check: Check): TemplateView {
  const digest = templateDigest(template.text);
  const known = knownTemplate(digest) ?? null;
  const findings = checkTemplate(template.text, check).map(({ rule, line, column, message }) => ({
    rule,
    severity: RULES.get(rule)!.severity,
    line,
    column,
    message,
  }));
  const near = known === null ? nearTemplate(template.text) : null;
  return { ...template, digest, known, near, depends: dependences(template.text), findings };
}

/** Names that the template does not make itself; [] where it cannot be parsed. */
function dependences(text: string): string[] {
  let statements: readonly Statement[];
  try {
    statements = parseTemplate(text);
  } catch {
    return [];
  }
  const made = new Set(OWN);
  const asked = new Set<string>();
  for (const node of nodesOf(statements)) {
    if (node.kind === 'name') asked.add(node.name);
    else if (node.kind === 'for') for (const name of node.targets) made.add(name);
    else if (node.kind === 'set')
      for (const target of node.targets) if (target.kind === 'name') made.add(target.name);
    if (node.kind === 'macro') {
      made.add(node.name);
      for (const { name, value } of node.parameters)
        made.add(name ?? (value.kind === 'name' ? value.name : ''));
    }
  }
  // A loop over messages that is called messages makes nothing of its own.
  return [...asked].filter((name) => !made.has(name) || GIVEN.includes(name));
}

const OWN = [
  'true',
  'True',
  'false',
  'False',
  'none',
  'None',
  'loop',
  'namespace',
  'range',
  'dict',
  'caller',
  'varargs',
  'kwargs',
];
const GIVEN = ['messages', 'tools', 'documents'];
