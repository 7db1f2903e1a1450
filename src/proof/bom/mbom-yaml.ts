// YAML to plain strings, lists and maps, and to nothing else. YAML can say one thing in many ways and different things to
// different readers: aliases (and their bombs), tags, directives, merge keys and keys that stand twice are refused.
import { type Document, isNode, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { refuse } from '../sign/refusal.ts';

/** 100,000 files take some 20 MB. */
const MAX = 67_108_864;

interface YamlDocument {
  readonly value: unknown;
  /** `line:column` of what is at this path, for messages. */
  placeOf(path: readonly PropertyKey[]): string;
}

/** Refuses with MALFORMED_MBOM and line and column. */
export function readYaml(bytes: Uint8Array): YamlDocument {
  if (bytes.length > MAX) refuse('MALFORMED_MBOM', `the MBOM is larger than ${MAX} bytes`);
  const lines = new LineCounter();
  const text = decoded(bytes);
  const document = parseDocument(text, {
    schema: 'failsafe',
    version: '1.2',
    uniqueKeys: true,
    stringKeys: true,
    strict: true,
    prettyErrors: false,
    lineCounter: lines,
  });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}`;
  };
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined)
    refuse('MALFORMED_MBOM', `${at(problem.pos[0])}: ${problem.message.slice(0, 200)}`);
  // The parser takes a directive behind a byte order mark too.
  if (/^\ufeff?%/m.test(text.slice(0, document.range[0])))
    refuse('MALFORMED_MBOM', '1:1: directives are not read');
  assertPlain(document, at);
  return {
    value: document.toJS(),
    placeOf: (path) => at(offsetOf(document, path)),
  };
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('MALFORMED_MBOM', 'the MBOM is not UTF-8');
  }
}

function assertPlain(document: Document, at: (offset: number) => string): void {
  const not = (node: Node, what: string): never =>
    refuse('MALFORMED_MBOM', `${at(node.range![0])}: ${what} is not read in an MBOM`);
  visit(document, {
    Alias: (_, node) => not(node, 'an alias'),
    Node: (_, node) => {
      if (node.anchor !== undefined) not(node, 'an anchor');
      if (node.tag !== undefined) not(node, 'a tag');
    },
  });
}

/** Of the innermost node on the path that is there: what is missing is missing in its parent. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length >= 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}
