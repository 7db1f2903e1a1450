// What can be said of a template that no parser of ours takes: the words that injections are made of, wherever they stand.
// A template is not made harmless by being unreadable.

import { quoted } from '../../../../document/violations.ts';
import type { RuleId } from '../../../../rules/rules.ts';
import type { Note } from '../observation.ts';

export function reportUnparsed(source: string, note: Note): void {
  for (const [rule, pattern, what] of WORDS) {
    for (const found of source.matchAll(pattern)) note(rule, found.index, `${what}: ${quoted(found[0])}`);
  }
}

const WORDS: readonly [RuleId, RegExp, string][] = [
  [
    'template/python-internals',
    /__(?:class|mro|bases?|subclasses|globals|builtins|init|import|dict|getattribute|getitem|reduce(?:_ex)?|loader|spec)__|\b(?:gi_frame|f_globals|f_builtins|func_globals|mro\()|\\(?:x5f|137|u005f|U0000005f|N\{LOW LINE\})/gi,
    'an internal of Python, or the escaped underscore of one',
  ],
  [
    'template/command',
    /\b(?:popen|os\.system|subprocess\.|importlib|check_output)\b|\b(?:eval|exec|system|__import__)\s*\(/gi,
    'a command or a module',
  ],
  ['template/attr-filter', /\|\s*attr\b/g, 'the filter attr'],
  ['template/import', /\{%[-+]?\s*(?:import|include|extends|from)\b/g, 'another template is brought in'],
  [
    'template/global',
    /\b(?:lipsum|cycler|joiner|url_for|get_flashed_messages)\b/g,
    'an object of the renderer',
  ],
];
