// Behavioural backdoors: templates that run no code and pass every sandbox, and that say something else to the model when
// somebody writes a certain word. Evidence is a pair: a condition on what a message says, and words of the template's own
// that it lets through.
import { quoted } from '../../../../document/violations.ts';
import { linkIn } from '../jinja/literals.ts';
import { type Expression, type Node, nodesOf, type Of, type Statement } from '../jinja/syntax.ts';
import { isMarker } from '../marker.ts';
import type { Note } from '../observation.ts';
import type { Triggers } from '../trigger.ts';
import { isEcho, isProse, ROLE, wordsIn, wordsOf } from '../wording.ts';
import type { Folding } from './folding.ts';

export function reportBehaviour(
  template: readonly Statement[],
  triggers: Triggers,
  folding: Folding,
  note: Note,
): void {
  // What one condition lets through is told once, whatever conditions stand inside of it; and each node is looked at once.
  const told = new Set<Node>();
  for (const node of nodesOf(template)) {
    for (const { test, reached } of choicesOf(node)) {
      const sought = triggers.in(test);
      if (sought.length === 0) continue;
      reportReached(sought, reached());
      break;
    }
    if (node.kind === 'dict') reportMessage(node);
  }

  function reportReached(sought: readonly string[], reached: readonly Node[]): void {
    const begin = where(sought);
    const isProtocol = sought.every(isMarker);
    const known = new Set(sought.flatMap(wordsIn));
    for (const { text, at } of wordsOf(reached, told, folding)) {
      const link = linkIn(text);
      if (link !== undefined) note('template/conditional-link', at, `${begin} adds the link ${quoted(link)}`);
      // What the message says itself is nothing new: 'thinking on' in content, and 'thinking on' for the model.
      if (isProtocol || isEcho(text, known)) continue;
      if (ROLE.test(text))
        note('template/conditional-role', at, `${begin} speaks in another role: ${quoted(text)}`);
      else if (isProse(text)) note('template/conditional-instruction', at, `${begin} adds ${quoted(text)}`);
    }
  }

  /** {'role': 'system', 'content': 'You must …'}: a message that nobody sent. */
  function reportMessage({ keys, values, at }: Of<'dict'>): void {
    const named = keys.map((key) => folding.strings(key)[0]);
    const content = values[named.indexOf('content')];
    if (!named.includes('role') || content === undefined) return;
    const text = folding.strings(content).find(isProse);
    if (text !== undefined) {
      note(
        'template/injected-message',
        at,
        `the template puts a message into the conversation: ${quoted(text)}`,
      );
    }
  }
}

const where = (sought: readonly string[]): string =>
  `where a message or the date says ${quoted(sought[0]!)}, the template`;

interface Choice {
  readonly test: Expression | null;
  readonly reached: () => readonly Node[];
}

/** Every way in which a template can say one thing and not the other. */
function choicesOf(node: Node): Choice[] {
  switch (node.kind) {
    case 'if': {
      // Each branch is reached by its own test and by those before it that failed.
      const tests = node.branches.map(({ test }) => test);
      return tests.map((test, index) => ({
        test,
        reached: () => node.branches.slice(index).flatMap(({ body }) => body),
      }));
    }
    case 'choice':
      return [
        {
          test: node.test,
          reached: () => (node.otherwise === null ? [node.value] : [node.value, node.otherwise]),
        },
      ];
    case 'for':
      return [
        { test: node.condition, reached: () => [...node.body, ...node.otherwise] },
        { test: node.iterable, reached: () => [...node.body, ...node.otherwise] },
      ];
    case 'binary':
      // 'x' in content and '…', and '…' * ('x' in content)
      return ['and', 'or', '*', '%'].includes(node.operator)
        ? [
            { test: node.left, reached: () => [node.right] },
            { test: node.right, reached: () => [node.left] },
          ]
        : [];
    case 'member':
      return [{ test: node.key, reached: () => [node.object] }];
    case 'filter':
    case 'call': {
      // content | replace('x', '…'): what is put in its place stands among the arguments.
      const isReplacement = node.kind === 'filter' ? node.name.includes('replace') : isReplaceCall(node);
      return isReplacement
        ? [{ test: node, reached: () => node.args.slice(1).map(({ value }) => value) }]
        : [];
    }
    default:
      return [];
  }
}

const isReplaceCall = ({ callee }: Of<'call'>): boolean =>
  callee.kind === 'member' && callee.key.kind === 'string' && callee.key.value === 'replace';
