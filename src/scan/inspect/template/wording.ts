// The words of a template's own: whether a text is a sentence, the header of a turn, or the marker of one.

/** Words of a sentence, or of a script that sets no spaces: what no marker of a turn has. */
export function isProse(text: string): boolean {
  const unspaced = text.match(/[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Thai}]/gu) ?? [];
  return wordsIn(text).length >= 1 || unspaced.length >= 4;
}

/** Whether the few words of a text were all looked for: 'thinking on' in content, and 'thinking on' for the model. */
export const isEcho = (words: readonly string[], sought: readonly string[]): boolean => {
  if (words.length === 0 || words.length > 3) return false;
  const known = new Set(sought.flatMap(wordsIn));
  return words.every((word) => known.has(word));
};

/** Words outside of tags and addresses. What has a space is no tag. */
export const wordsIn = (text: string): readonly string[] =>
  text
    .replace(/<[^<>\s]{0,60}(?:>|$)|\[[^[\]\s]{0,40}\]|\w{2,8}:\/\/\S{1,200}/g, ' ')
    .match(/\p{L}[\p{L}\p{M}'’]+/gu) ?? [];

/** The header of a system or developer turn in the common families, or its bare name. */
export const isRole = (text: string): boolean =>
  ROLE.test(text) || /^(?:system|developer)$/i.test(text.trim());

const ROLE =
  /<\|?(?:im_start|start_header_id|start|role_start|start_of_role)\|?>\s*(?:system|developer)|<<SYS>>|\[(?:SYSTEM(?:_PROMPT)?|\/?SYS)\]|<\|?(?:system|developer|SYSTEM_TOKEN)[|_>]|<start_of_turn>\s*(?:system|developer)|^\s*(?:###\s*)?system:/i;
