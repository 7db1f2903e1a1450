// The words of a template's own: what parts of it can put into the prompt, and whether that is a sentence or the marker of a
// turn.

import { childrenOf, type Expression, type Node } from './jinja/syntax.ts';
import type { Folding } from './meaning/folding.ts';

interface Words {
  readonly text: string;
  readonly at: number;
}

/** What the nodes can put into the prompt: text, strings, and what strings come to. Not what is asked or raised. */
export function wordsOf(roots: readonly Node[], told: Set<Node>, folding: Folding): Words[] {
  const words: Words[] = [];
  const stack: Node[] = [...roots].reverse();
  // Pieces that are put out one after the other are one text: {{ 'o' }}{{ 'be' }}{{ 'y' }}.
  let run: Words | undefined;
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (told.has(node)) continue;
    told.add(node);
    const { at } = node;
    if (STATEMENTS.has(node.kind)) {
      const piece = pieceOf(node, folding);
      if (run !== undefined && (piece === undefined || run.text.length > RUN_MAX)) words.push(run);
      const before = run !== undefined && run.text.length <= RUN_MAX ? run : undefined;
      run = piece === undefined ? undefined : { text: (before?.text ?? '') + piece, at: before?.at ?? at };
    }
    if (node.kind === 'text') words.push({ text: node.text, at });
    else if (['string', 'name', 'binary', 'slice'].includes(node.kind)) {
      // One value of a name is one thing that it may say.
      for (const text of folding.strings(node as Expression)) words.push({ text, at });
    }
    for (const child of said(node).reverse()) stack.push(child);
  }
  if (run !== undefined) words.push(run);
  return words;
}

const STATEMENTS = new Set<Node['kind']>(['text', 'output', 'if', 'for', 'set', 'macro', 'block', 'load']);
const RUN_MAX = 4096;

const pieceOf = (node: Node, folding: Folding): string | undefined =>
  node.kind === 'text' ? node.text : node.kind === 'output' ? folding.strings(node.value)[0] : undefined;

function said(node: Node): Node[] {
  if (node.kind === 'call') {
    const silent =
      node.callee.kind === 'name' && ['raise_exception', 'strftime_now', 'range'].includes(node.callee.name);
    const asks =
      node.callee.kind === 'member' &&
      node.callee.key.kind === 'string' &&
      ASKING.includes(node.callee.key.value);
    return silent ? [] : [node.callee, ...(asks ? [] : node.args.map(({ value }) => value))];
  }
  if (node.kind === 'if') return node.branches.flatMap(({ body }) => [...body]);
  if (node.kind === 'for') return [...node.body, ...node.otherwise];
  if (node.kind === 'choice') return node.otherwise === null ? [node.value] : [node.value, node.otherwise];
  if (node.kind === 'member' || node.kind === 'slice') return [node.object];
  if (node.kind === 'test') return [];
  if (node.kind === 'binary' && COMPARING.includes(node.operator)) return [];
  if (node.kind === 'set') return node.value === null ? [...node.body] : [node.value];
  return [...childrenOf(node)];
}

const ASKING = [
  'split',
  'rsplit',
  'startswith',
  'endswith',
  'find',
  'strip',
  'lstrip',
  'rstrip',
  'get',
  'count',
  'partition',
];
const COMPARING = ['==', '!=', 'in', 'not in', '<', '>', '<=', '>='];

/** Words of a sentence, or of a script that sets no spaces: what no marker of a turn has. */
export function isProse(text: string): boolean {
  const unspaced = text.match(/[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Thai}]/gu) ?? [];
  return wordsIn(text).length >= 3 || unspaced.length >= 6;
}

export const isEcho = (text: string, known: ReadonlySet<string>): boolean => {
  const words = wordsIn(text);
  return words.length > 0 && words.every((word) => known.has(word));
};

/** Words outside of tags and addresses. */
export const wordsIn = (text: string): readonly string[] =>
  text
    .replace(/<[^<>\n]{0,60}>|\[[^[\]\n]{0,40}\]|\w{2,8}:\/\/\S{1,200}/g, ' ')
    .match(/\p{L}[\p{L}\p{M}'’]+/gu) ?? [];

/** The header of a system or developer turn in the common families. */
export const ROLE =
  /<\|?(?:im_start|start_header_id|start|role_start|start_of_role)\|?>\s*(?:system|developer)|<<SYS>>|\[(?:SYSTEM(?:_PROMPT)?|\/?SYS)\]|<\|?(?:system|developer|SYSTEM_TOKEN)[|_>]|<start_of_turn>\s*(?:system|developer)|^\s*(?:###\s*)?system:/i;
