// Which of several default chat templates a loader takes. transformers: as it was tried; loaders that know one file only take
// that file.

interface Candidate {
  readonly path: string;
  readonly digest: string;
}

/** A folder of named templates belongs to the folder above it. */
export const templateFolder = (path: string): string =>
  path.slice(0, path.lastIndexOf('/') + 1).replace(/(^|\/)additional_chat_templates\/$/, '$1');

const ORDER = [
  /(?:^|\/)additional_chat_templates\/default\.jinja$/,
  /(?:^|\/)chat_template\.jinja$/,
  /(?:^|\/)tokenizer_config\.json$/,
];
/** Merged over everything else, where the tokenizer's own file does not list its tokens. */
const LEGACY = /(?:^|\/)special_tokens_map\.json$/;

/** The default template that AutoTokenizer of transformers uses; undefined: none of them. */
export function usedByTransformers(
  candidates: readonly Candidate[],
  listsTokens: boolean,
): Candidate | undefined {
  const legacy = listsTokens ? undefined : candidates.find(({ path }) => LEGACY.test(path));
  if (legacy !== undefined) return legacy;
  for (const pattern of ORDER) {
    const found = candidates.find(({ path }) => pattern.test(path));
    if (found !== undefined) return found;
  }
  return undefined;
}
