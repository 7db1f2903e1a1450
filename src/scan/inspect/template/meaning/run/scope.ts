// The names that a macro has for itself.

import type { Expression, Of, Statement } from '../../jinja/syntax.ts';
import { parameterName, type Scope } from './evaluator.ts';

export const unfiltered = (target: Expression): Expression =>
  target.kind === 'filter' && target.input !== null ? unfiltered(target.input) : target;

export const bodiesOf = (statement: Statement): readonly (readonly Statement[])[] => {
  if (statement.kind === 'if') return statement.branches.map(({ body }) => body);
  if (statement.kind === 'for') return [statement.body, statement.otherwise];
  return 'body' in statement ? [statement.body] : [];
};

/** Names that a macro has for itself: its parameters, what its loops take, and what it sets. */
export function namesOf({ parameters, body }: Of<'macro'>): Scope['names'] {
  const names = new Map<string, 'hiding' | 'added'>();
  const stack: Statement[] = [...body];
  for (let statement = stack.pop(); statement !== undefined; statement = stack.pop()) {
    if (statement.kind === 'macro') continue;
    if (statement.kind === 'for') for (const target of statement.targets) names.set(target, 'hiding');
    if (statement.kind === 'set')
      for (const target of statement.targets.map(unfiltered))
        if (target.kind === 'name' && !names.has(target.name)) names.set(target.name, 'added');
    for (const inner of bodiesOf(statement)) stack.push(...inner);
  }
  for (const name of [...parameters.map(parameterName), 'varargs', 'kwargs']) names.set(name, 'hiding');
  return names;
}
