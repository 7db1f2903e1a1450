// Server-side template injection: a template that reaches from a string to Python's internals, and from there to a shell
// (CVE-2024-34359 in llama-cpp-python, CVE-2026-5760 in SGLang). A chat template has no need of any of this, whatever
// sandbox its loader has: what loaders refuse today, others render.
import { quoted } from '../../../../document/violations.ts';
import {
  type Argument,
  type Expression,
  type Node,
  nodesOf,
  type Of,
  type Statement,
} from '../jinja/syntax.ts';
import type { Note } from '../observation.ts';
import type { Folding } from './folding.ts';
import {
  BUILTINS,
  BY_ATTRIBUTE,
  COMMANDS,
  COMMON_GLOBALS,
  DUNDER,
  FORMAT_WALK,
  GENERATORS,
  GLOBALS,
  INTERNAL,
  LOADERS,
  MODULES,
} from './python.ts';

export function reportInternals(template: readonly Statement[], folding: Folding, note: Note): void {
  const declared = declaredNames(template);
  const built = builtNames(template);
  for (const node of nodesOf(template)) {
    if (node.kind === 'load') {
      note('template/import', node.at, `{% ${node.tag} %} brings in another template`);
    } else if (node.kind === 'name') checkName(node);
    else if (node.kind === 'member') checkMember(node);
    else if (node.kind === 'call') checkCall(node);
    else if (node.kind === 'filter') checkFilter(node);
    else if (node.kind === 'block' && node.tag === 'debug') {
      note('template/python-internals', node.at, '{% debug %} prints the whole context');
    }
    if (isBuilding(node)) for (const text of folding.strings(node)) checkText(text, node.at);
  }

  function checkText(text: string, at: number): void {
    const isName = DUNDER.test(text.trim());
    if (isName || FORMAT_WALK.test(text)) {
      note('template/python-internals', at, `the string ${quoted(text)} names an internal of Python`);
    }
  }

  function checkKey(key: string, at: number): void {
    if (INTERNAL.test(key)) {
      note('template/python-internals', at, `the attribute ${quoted(key)} is an internal of Python`);
    } else if (MODULES.includes(key)) {
      note('template/command', at, `the attribute ${quoted(key)} is a module of Python`);
    }
  }

  function checkName({ name, at }: Of<'name'>): void {
    if (/^__.+__$/.test(name)) checkKey(name, at);
    else if (MODULES.includes(name) && !declared.has(name)) {
      note('template/command', at, `the name ${quoted(name)} is a module of Python`);
    } else if (GLOBALS.includes(name) || (COMMON_GLOBALS.includes(name) && !declared.has(name))) {
      note('template/global', at, `${quoted(name)} is an object of the renderer, not of the chat`);
    }
  }

  function checkMember({ object, key, dotted, at }: Of<'member'>): void {
    for (const text of folding.strings(key)) checkKey(text, at);
    if (object.kind === 'name' && object.name === 'namespace') {
      note('template/global', at, 'an attribute of the function namespace is used');
    }
    if (!dotted && !folding.isComplete(key) && isBuilt(key, built)) {
      note('template/computed-name', at, 'a subscript is put together from pieces of strings');
    }
  }

  function checkCall({ callee, at }: Of<'call'>): void {
    const names =
      callee.kind === 'member' ? folding.strings(callee.key) : callee.kind === 'name' ? [callee.name] : [];
    for (const name of names) {
      const free = callee.kind === 'name' && BUILTINS.includes(name) && !declared.has(name);
      const command = COMMANDS.includes(name) || LOADERS.includes(name);
      if (free || (command && !(callee.kind === 'name' && declared.has(name)))) {
        note('template/command', at, `${quoted(name)} is called`);
      }
    }
  }

  function checkFilter({ name, input, args, at }: Of<'filter'>): void {
    const names = args.flatMap(({ value }) => folding.strings(value));
    if (name === 'attr' || (name === 'map' && names[0] === 'attr')) {
      note('template/attr-filter', at, 'the filter attr reads attributes past the subscript rules');
      for (const key of names) {
        checkKey(key, at);
        if (COMMANDS.includes(key))
          note('template/command', at, `the attribute ${quoted(key)} runs a command`);
      }
    }
    if (BY_ATTRIBUTE.includes(name)) {
      for (const path of attributePaths(args)) for (const key of path.split('.')) checkKey(key, at);
    }
    // `()|select|string` prints '<generator object …>': a classic source of the characters that a filter forbids.
    if (name === 'string' && isPythonObject(input)) {
      note('template/python-internals', at, 'the representation of a Python object is turned into text');
    }
  }

  function attributePaths(args: readonly Argument[]): string[] {
    return args.flatMap(({ name, value }, index) =>
      name === 'attribute' || (name === null && index === 0) ? folding.strings(value) : [],
    );
  }
}

const isPythonObject = (value: Expression | null): boolean =>
  (value?.kind === 'filter' && GENERATORS.includes(value.name)) ||
  (value?.kind === 'name' && ['dict', 'range', 'namespace', ...GLOBALS].includes(value.name));

/** Literals, and what they can be joined with. */
const isBuilding = (node: Node): node is Expression =>
  ['string', 'binary', 'filter', 'slice', 'call'].includes(node.kind);

function declaredNames(template: readonly Statement[]): Set<string> {
  const names = new Set<string>();
  for (const node of nodesOf(template)) {
    if (node.kind === 'for') for (const name of node.targets) names.add(name);
    else if (node.kind === 'macro') {
      names.add(node.name);
      for (const { name, value } of node.parameters)
        names.add(name ?? (value.kind === 'name' ? value.name : ''));
    } else if (node.kind === 'set') {
      for (const target of node.targets) if (target.kind === 'name') names.add(target.name);
    }
  }
  return names;
}

const BUILDERS = ['join', 'format', 'reverse', 'replace'];

/** Put together from strings, in a way that the folding did not follow. */
function isBuilt(expression: Expression, names: ReadonlySet<string>): boolean {
  for (const node of nodesOf([expression])) {
    if (node.kind === 'name' && names.has(node.name)) return true;
    if (node.kind === 'filter' && BUILDERS.includes(node.name)) return true;
    if (node.kind !== 'binary') continue;
    const strings = node.left.kind === 'string' || node.right.kind === 'string';
    if (node.operator === '~' || (strings && (node.operator === '+' || node.operator === '%'))) return true;
  }
  return false;
}

function builtNames(template: readonly Statement[]): Set<string> {
  const names = new Set<string>();
  for (const node of nodesOf(template)) {
    const [target] = node.kind === 'set' ? node.targets : [];
    if (node.kind !== 'set' || node.value === null || target?.kind !== 'name') continue;
    if (isBuilt(node.value, names)) names.add(target.name);
  }
  return names;
}
