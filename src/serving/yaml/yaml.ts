// A manifest's text → documents whose every node knows its place. YAML 1.1, because Kubernetes reads that: `yes` is true and
// 010 is 8. The text is foreign: it is bounded before the parser sees it, and a key that stands twice is not read at all.
import {
  type Document,
  isAlias,
  isCollection,
  isScalar,
  LineCounter,
  type Pair,
  parseAllDocuments,
  visit,
} from 'yaml';
import { DEPTH, isDeep } from '../../document/nesting.ts';
import { type Home, Node, startOf } from './node.ts';
import type { Fault, Place } from './place.ts';

export { Node, TooLarge } from './node.ts';

const SIZE = 8 * 2 ** 20;
const DOCUMENTS = 1000;
const ALIASES = 100;

interface ManifestText {
  readonly documents: readonly Node[];
  readonly faults: readonly Fault[];
}

/** Reads YAML or JSON. Never throws on content: what cannot be read is a fault with its place. */
export function readManifest(text: string, file: string): ManifestText {
  const lines = new LineCounter();
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const fault = (code: Fault['code'], offset: number, message: string): Fault => ({
    code,
    at: at(offset),
    message,
  });
  const refused = (message: string): ManifestText => ({
    documents: [],
    faults: [fault('LIMIT', 0, message)],
  });
  if (Buffer.byteLength(text) > SIZE) return refused(`larger than ${SIZE} bytes`);
  if (isDeep(text)) return refused(`nested deeper than ${DEPTH} levels`);
  let parsed: Document.Parsed[];
  try {
    // The parser's own search for keys that stand twice compares every key with every other one.
    const options = { version: '1.1', merge: true, uniqueKeys: false, prettyErrors: false } as const;
    parsed = [...parseAllDocuments(text, { ...options, lineCounter: lines })] as Document.Parsed[];
  } catch {
    return refused('the text is nested too deeply to be read');
  }
  if (parsed.length > DOCUMENTS) return refused(`more than ${DOCUMENTS} documents`);
  const documents: Node[] = [];
  const faults: Fault[] = [];
  const templated = /\{\{|\{%|<%/.test(text);
  for (const document of parsed) {
    const aliases = new Map<unknown, unknown>();
    const problem = problemOf(document, templated, aliases);
    if (problem !== null) {
      faults.push(fault(problem.code, problem.offset, problem.message));
      continue;
    }
    const home: Home = { aliases, at, left: NODES };
    if (document.contents !== null) documents.push(new Node(document.contents, home));
  }
  return { documents, faults };
}

/** Nodes visited in one document. Aliases are followed, so that a small text can stand for a large tree. */
const NODES = 3_000_000;

const RENDER = 'a template that was not rendered; lint its output: helm template … | steelyard lint -';

interface Problem {
  readonly code: Fault['code'];
  readonly offset: number;
  readonly message: string;
}

/** `aliases` is filled on the way. */
function problemOf(
  document: Document.Parsed,
  templated: boolean,
  aliases: Map<unknown, unknown>,
): Problem | null {
  const [error] = document.errors;
  if (error !== undefined) {
    const message = templated ? RENDER : `not YAML: ${error.message.split('\n')[0]!.slice(0, 200)}`;
    return { code: 'INVALID_MANIFEST', offset: error.pos[0], message };
  }
  let found: Problem | null = null;
  const stop = (code: Fault['code'], node: unknown, message: string): symbol => {
    found = { code, offset: startOf(node), message };
    return visit.BREAK;
  };
  const anchors = new Map<string, unknown>();
  visit(document, {
    Value: (_, node) => {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
    Alias: (_, node) => {
      aliases.set(node, anchors.get(node.source));
      if (aliases.size > ALIASES) return stop('LIMIT', node, `more than ${ALIASES} aliases`);
      return undefined;
    },
    // The most specific visitor is the only one that is called.
    Map: (_, node) => {
      const { items, anchor } = node;
      if (anchor !== undefined) anchors.set(anchor, node);
      const key = oddKey(items as Pair[]);
      if (key === null) return undefined;
      // `{{ .Values.image }}` is a map whose key is a map, as YAML goes.
      if (!isScalar(key)) return stop('INVALID_MANIFEST', key, RENDER);
      return stop(
        'INVALID_MANIFEST',
        key,
        'a key stands twice in one map: readers differ in which they take',
      );
    },
  });
  return found;
}

/** The first key that is no plain word, or that stood there before. */
function oddKey(items: readonly Pair[]): unknown {
  const seen = new Set<unknown>();
  for (const { key } of items) {
    if (isCollection(key) || isAlias(key)) return key;
    const name = isScalar(key) ? key.value : key;
    if (seen.has(name)) return key;
    seen.add(name);
  }
  return null;
}
