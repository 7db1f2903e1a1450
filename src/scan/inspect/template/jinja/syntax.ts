// The syntax tree of a template. Nodes know their place in the source and how deep they are: a tree is never deeper than the
// parser allows, so that whoever walks it may recurse.

interface Place {
  readonly at: number;
  /** Levels of nodes below and with this one. */
  readonly height: number;
}

export type Expression = Place &
  (
    | { readonly kind: 'string'; readonly value: string }
    | { readonly kind: 'number'; readonly value: number }
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'list'; readonly items: readonly Expression[] }
    | { readonly kind: 'dict'; readonly keys: readonly Expression[]; readonly values: readonly Expression[] }
    /** `a.key` and `a[key]`: Jinja2 looks for items and attributes in both. */
    | {
        readonly kind: 'member';
        readonly object: Expression;
        readonly key: Expression;
        readonly dotted: boolean;
      }
    | { readonly kind: 'slice'; readonly object: Expression; readonly parts: readonly (Expression | null)[] }
    | { readonly kind: 'call'; readonly callee: Expression; readonly args: readonly Argument[] }
    | {
        readonly kind: 'filter';
        readonly name: string;
        readonly input: Expression | null;
        readonly args: readonly Argument[];
      }
    | {
        readonly kind: 'test';
        readonly name: string;
        readonly input: Expression;
        readonly args: readonly Argument[];
      }
    | {
        readonly kind: 'binary';
        readonly operator: string;
        readonly left: Expression;
        readonly right: Expression;
      }
    | { readonly kind: 'unary'; readonly operator: string; readonly operand: Expression }
    | {
        readonly kind: 'choice';
        readonly test: Expression;
        readonly value: Expression;
        readonly otherwise: Expression | null;
      }
  );

export interface Argument {
  /** Of a keyword argument. */
  readonly name: string | null;
  readonly value: Expression;
}

export interface Branch {
  /** null: else. */
  readonly test: Expression | null;
  readonly body: readonly Statement[];
}

export type Statement = Place &
  (
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'output'; readonly value: Expression }
    | { readonly kind: 'if'; readonly branches: readonly Branch[] }
    | {
        readonly kind: 'for';
        readonly targets: readonly string[];
        readonly iterable: Expression;
        readonly condition: Expression | null;
        readonly body: readonly Statement[];
        readonly otherwise: readonly Statement[];
      }
    /** `value` null: the block's output is the value. */
    | {
        readonly kind: 'set';
        readonly targets: readonly Expression[];
        readonly value: Expression | null;
        readonly body: readonly Statement[];
      }
    | {
        readonly kind: 'macro';
        readonly name: string;
        readonly parameters: readonly Argument[];
        readonly body: readonly Statement[];
      }
    /** import, from, include, extends: brings in another template. */
    | { readonly kind: 'load'; readonly tag: string; readonly value: Expression }
    /** Every other tag: what it evaluates, and its body. */
    | {
        readonly kind: 'block';
        readonly tag: string;
        readonly values: readonly Expression[];
        readonly body: readonly Statement[];
      }
  );

export type Node = Expression | Statement;
/** A kind of node. */
export type Of<K extends Node['kind']> = Extract<Node, { kind: K }>;

/** Every node of a forest, parents before children, in the order of the source. */
export function* nodesOf(roots: readonly Node[]): Generator<Node, void, undefined> {
  const stack = [...roots].reverse();
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    yield node;
    const children = childrenOf(node);
    for (let index = children.length - 1; index >= 0; index--) stack.push(children[index]!);
  }
}

function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'list':
      return node.items;
    case 'dict':
      return node.keys.flatMap((key, index) => [key, node.values[index]!]);
    case 'member':
      return [node.object, node.key];
    case 'slice':
      return present([node.object, ...node.parts]);
    case 'call':
      return [node.callee, ...valuesOf(node.args)];
    case 'filter':
      return present([node.input, ...valuesOf(node.args)]);
    case 'test':
      return [node.input, ...valuesOf(node.args)];
    case 'binary':
      return [node.left, node.right];
    case 'unary':
      return [node.operand];
    case 'choice':
      return present([node.value, node.test, node.otherwise]);
    case 'output':
    case 'load':
      return [node.value];
    case 'if':
      return node.branches.flatMap(({ test, body }) => present([test, ...body]));
    case 'for':
      return present([node.iterable, node.condition, ...node.body, ...node.otherwise]);
    case 'set':
      return present([...node.targets, node.value, ...node.body]);
    case 'macro':
      return [...valuesOf(node.parameters), ...node.body];
    case 'block':
      return [...node.values, ...node.body];
    default:
      return [];
  }
}

const present = (nodes: readonly (Node | null)[]): Node[] => nodes.filter((node) => node !== null);
const valuesOf = (args: readonly Argument[]): Expression[] => args.map(({ value }) => value);
