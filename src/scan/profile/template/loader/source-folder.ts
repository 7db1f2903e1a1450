// A folder as a loader sees it: which documents in it hold chat templates, and what decides between them.
import type { MeasuredFile } from '../../../measure/measured.ts';
import { type FileTemplates, templateDigest } from '../collect.ts';

/** Templates of one document, by the name under which a loader asks for them. */
export interface Source {
  readonly path: string;
  /** Name → digest. Of two with one name, the last, as Python has it. */
  readonly named: ReadonlyMap<string, string>;
}

export interface Place {
  /** With the slash behind it; '' for the root. */
  readonly folder: string;
  /** By the document's name in the folder. */
  readonly documents: Map<string, Source>;
  /** additional_chat_templates/NAME.jinja, by NAME. */
  readonly extra: Map<string, Source>;
  readonly weights: Source[];
  /** tokenizer_config.json has an added_tokens_decoder. */
  listsTokens: boolean;
  /** chat_template_type of tokenizer_config.json: a module of mlx-lm that takes the place of every template. */
  hasModule: boolean;
  /** AutoProcessor finds a processor here. */
  hasProcessor: boolean;
}

const EXTRA = /^(.*\/|)additional_chat_templates\/([^/]*)\.jinja$/;
const PROCESSOR = /(?:^|\/)(?:processor_config|preprocessor_config|video_preprocessor_config)\.json$/;

/** The folders that hold a template, in the order of the files. */
export function placesOf(files: readonly MeasuredFile[], found: readonly FileTemplates[]): Place[] {
  const places = new Map<string, Place>();
  for (const [i, file] of files.entries()) {
    const { path } = file.entry;
    const extra = EXTRA.exec(path);
    const folder = extra?.[1] ?? path.slice(0, path.lastIndexOf('/') + 1);
    const { templates, listsTokens, hasModule } = found[i]!;
    const isKnown = templates.length > 0 || places.has(folder) || PROCESSOR.test(path);
    if (!isKnown && listsTokens !== true && hasModule !== true) continue;
    const place = places.get(folder) ?? emptyPlace(folder);
    places.set(folder, place);
    place.listsTokens ||= listsTokens === true;
    place.hasModule ||= hasModule === true;
    place.hasProcessor ||= PROCESSOR.test(path);
    if (templates.length === 0) continue;
    const named = new Map(templates.map(({ name, text }) => [name, templateDigest(text)]));
    if (file.layout?.format === 'gguf') place.weights.push({ path, named });
    else if (file.layout !== null) continue;
    else if (extra !== null) place.extra.set(extra[2]!, { path, named });
    else place.documents.set(path.slice(folder.length), { path, named });
  }
  return [...places.values()].filter(
    ({ documents, extra, weights }) => documents.size + extra.size + weights.length > 0,
  );
}

const emptyPlace = (folder: string): Place => ({
  folder,
  documents: new Map(),
  extra: new Map(),
  weights: [],
  listsTokens: false,
  hasModule: false,
  hasProcessor: false,
});
