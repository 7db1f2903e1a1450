// Server-side template injection: a template that reaches from a string to Python's internals, and from there to a shell
// (CVE-2024-34359 in llama-cpp-python, CVE-2026-5760 in SGLang). A chat template has no need of any of this, whatever
// sandbox its loader has: what loaders refuse today, others render. A name that is not known is not harmless.
import { quoted } from '../../../../document/violations.ts';
import { type Expression, nodesOf, type Of, type Statement } from '../jinja/syntax.ts';
import type { Note } from '../observation.ts';
import {
  BUILTINS,
  BY_ATTRIBUTE,
  COMMANDS,
  COMMON_GLOBALS,
  DUNDER,
  FORMAT_WALK,
  FUNCTIONS,
  GENERATORS,
  GLOBALS,
  INTERNAL,
  LOADERS,
  METHODS,
  MODULES,
} from './python.ts';
import type { Watch } from './run/evaluator.ts';
import { isWords } from './value/foreign.ts';
import { stringsOf, type Value } from './value/value.ts';

export function accessWatch(template: readonly Statement[], note: Note): Omit<Watch, 'said' | 'known'> {
  const declared = declaredNames(template);
  // `a.__class__` is told as an attribute, not as a string.
  const dotted = new Set<Expression>();
  for (const node of nodesOf(template)) {
    if (node.kind === 'member' && node.dotted) dotted.add(node.key);
    if (node.kind === 'load')
      note('template/import', node.at, `{% ${node.tag} %} brings in another template`);
    else if (node.kind === 'name') checkName(node);
    else if (node.kind === 'string' && !dotted.has(node)) checkText(node.value, node.at);
    else if (node.kind === 'block' && node.tag === 'debug')
      note('template/python-internals', node.at, '{% debug %} prints the whole context');
  }
  return {
    member: checkMember,
    call: checkCall,
    filter: checkFilter,
    method: checkMethod,
    built: checkBuilt,
  };

  function checkBuilt(texts: readonly string[], at: number): void {
    for (const text of texts) checkText(text, at);
  }

  function checkText(text: string, at: number): void {
    if (DUNDER.test(text.trim()) || FORMAT_WALK.test(text))
      note('template/python-internals', at, `the string ${quoted(text)} names an internal of Python`);
  }

  function checkKey(key: string, at: number): void {
    if (INTERNAL.test(key))
      note('template/python-internals', at, `the attribute ${quoted(key)} is an internal of Python`);
    else if (MODULES.includes(key))
      note('template/command', at, `the attribute ${quoted(key)} is a module of Python`);
  }

  function checkName({ name, at }: Of<'name'>): void {
    if (/^__.+__$/.test(name)) checkKey(name, at);
    else if (MODULES.includes(name) && !declared.has(name))
      note('template/command', at, `the name ${quoted(name)} is a module of Python`);
    else if (GLOBALS.includes(name))
      note('template/global', at, `${quoted(name)} is an object of the renderer, not of the chat`);
  }

  function checkMember(node: Of<'member'>, object: Value, key: Value): void {
    const { at } = node;
    for (const text of stringsOf(key)) checkKey(text, at);
    const name = node.object.kind === 'name' ? node.object.name : '';
    if (name === 'namespace') note('template/global', at, 'an attribute of the function namespace is used');
    // A caller may well give a variable of that name: to put it out is nothing, to look into it is what Flask's are good for.
    if (COMMON_GLOBALS.includes(name) && !declared.has(name))
      note('template/global', at, `${quoted(name)} is an object of the renderer, not of the chat`);
    if (
      !stringsOf(key).some((text) => INTERNAL.test(text)) &&
      isUnknown(key, object, FUNCTIONS.includes(name))
    )
      note('template/computed-name', at, 'a subscript is put together from pieces of strings, or not known');
  }

  function checkCall(node: Of<'call'>, callee: Value, names: readonly string[]): void {
    const { callee: called, at } = node;
    const isMethod = called.kind === 'member';
    for (const name of names) {
      const free = !isMethod && BUILTINS.includes(name) && !declared.has(name);
      const command = COMMANDS.includes(name) || LOADERS.includes(name);
      if (free || (command && (isMethod || !declared.has(name))))
        note('template/command', at, `${quoted(name)} is called`);
    }
    const isKnown = isMethod && names.length > 0 && names.every((name) => METHODS.has(name));
    if (callee.computed && !isKnown)
      note(
        'template/computed-call',
        at,
        'what is called is an attribute whose name only rendering puts together',
      );
  }

  function checkMethod(name: string, object: Value, { args, at }: Of<'call'>): void {
    const isFormat = name === 'format' || name === 'format_map';
    // '{0.__class__}'.format(x) walks attributes: whoever writes the format, names them.
    if (isFormat && args.length > 0 && object.open && (object.built || isWords(object.kind)))
      note(
        'template/computed-name',
        at,
        'a format that is not known is filled in, and a format can name attributes',
      );
    if (object.computed && !METHODS.has(name))
      note('template/computed-call', at, `${quoted(name)} is called on an attribute whose name is not known`);
  }

  function checkFilter({ name, input, at }: Of<'filter'>, _: Value, args: readonly Value[]): void {
    const names = args.flatMap(stringsOf);
    if (name === 'attr' || (name === 'map' && (names[0] === 'attr' || args[0]?.built))) {
      note('template/attr-filter', at, 'the filter attr reads attributes past the subscript rules');
      for (const key of names) {
        checkKey(key, at);
        if (COMMANDS.includes(key))
          note('template/command', at, `the attribute ${quoted(key)} runs a command`);
      }
    }
    if (BY_ATTRIBUTE.includes(name)) {
      for (const path of names) for (const key of path.split('.')) checkKey(key, at);
      if (args.some((value) => value.open && value.built))
        note(
          'template/computed-name',
          at,
          `the filter ${name} is given a name that is put together from pieces`,
        );
    }
    // `()|select|string` prints '<generator object …>': a classic source of the characters that a filter forbids.
    if (name === 'string' && isPythonObject(input))
      note('template/python-internals', at, 'the representation of a Python object is turned into text');
  }
}

/** A key that nobody can say to be harmless: pieces of strings, or any word that is no number on what is no data. */
function isUnknown(key: Value, object: Value, isFunction: boolean): boolean {
  if (!key.open || key.numeric) return false;
  const isData =
    object.kind !== 'own' ||
    object.fields !== null ||
    object.known.some((plain) => typeof plain === 'object' && plain.length > 0);
  return key.built || key.kind === 'own' || isFunction || !isData;
}

const isPythonObject = (value: Expression | null): boolean =>
  (value?.kind === 'filter' && GENERATORS.includes(value.name)) ||
  (value?.kind === 'name' && ['dict', 'range', 'namespace', ...GLOBALS].includes(value.name));

function declaredNames(template: readonly Statement[]): Set<string> {
  const names = new Set<string>();
  for (const node of nodesOf(template)) {
    if (node.kind === 'for') for (const name of node.targets) names.add(name);
    else if (node.kind === 'macro') {
      names.add(node.name);
      for (const { name, value } of node.parameters)
        names.add(name ?? (value.kind === 'name' ? value.name : ''));
    } else if (node.kind === 'set')
      for (const target of node.targets) if (target.kind === 'name') names.add(target.name);
  }
  return names;
}
