// The door for our own documents in YAML or JSON → plain data with a line and column for every place. YAML is a large language;
// this is the part of it that says what it seems to say: no directives, no tags, no aliases, no merge keys, no key twice.
import type * as YamlPackage from 'yaml';
import { late } from '../runtime/loading.ts';
import { DEPTH, isDeep } from './nesting.ts';

export interface YamlOptions {
  /** Bytes, at most. */
  readonly size: number;
  /** 'typed': YAML 1.2's core schema; 'text': every scalar is the string that stands there. */
  readonly scalars: 'typed' | 'text';
  /** Makes the error that ends the reading. `place`: '3:12', line and column from 1; null: the document as a whole. */
  readonly failure: (place: string | null, reason: string, cause?: unknown) => Error;
}

export interface Yaml {
  readonly data: unknown;
  /** The lines of a field's entries, by key or index. */
  linesOf(field: string): ReadonlyMap<string | number, number>;
  /** `line:column` of what is at this path, or of the innermost there is; `key`: of the key of that name instead of the value. */
  placeOf(path: readonly PropertyKey[], key?: string): string;
}

/** Reads one document strictly. Throws what `failure` makes, with the place of the first thing that is wrong. */
export function readYaml(input: string | Uint8Array, { size, scalars, failure }: YamlOptions): Yaml {
  const { isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, visit } =
    late<typeof YamlPackage>('yaml');
  const lines = new LineCounter();
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}`;
  };
  if (Buffer.byteLength(input) > size) throw failure(null, `larger than ${size} bytes`);
  const text = typeof input === 'string' ? input : decoded(input);
  if (isDeep(text)) throw failure(null, `nested deeper than ${DEPTH} levels`);
  const document = parsed(text);
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined)
    throw failure(
      at(problem.pos[0]),
      problem.code === 'MULTIPLE_DOCS' ? 'one document is read, not several' : problem.message,
    );
  // %YAML 1.1 would make other readers take `yes` for true. The parser reads a directive behind a byte order mark too.
  if (/^\ufeff?%/m.test(text.slice(0, document.range[0]))) throw failure('1:1', 'no directives');
  assertPlain(document);

  const offsetOf = (path: readonly PropertyKey[], key?: string): number => {
    const found = document.getIn(path as unknown[], true);
    if (key !== undefined && isMap(found)) {
      const pair = found.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
      if (isScalar(pair?.key)) return pair.key.range?.[0] ?? 0;
    }
    const range = (found as { range?: [number, number, number] | null } | undefined)?.range;
    return range?.[0] ?? (path.length === 0 ? 0 : offsetOf(path.slice(0, -1), String(path.at(-1))));
  };
  return {
    data: document.toJS({ maxAliasCount: 0 }),
    linesOf: (field) => {
      const found = document.get(field, true);
      const entries = isMap(found)
        ? found.items.map(({ key }) => [String(isScalar(key) ? key.value : key), key] as const)
        : isSeq(found)
          ? found.items.map((item, index) => [index, item] as const)
          : [];
      return new Map(entries.map(([key, node]) => [key, lines.linePos(startOf(node)).line]));
    },
    placeOf: (path, key) => at(offsetOf(path, key)),
  };

  function decoded(bytes: Uint8Array): string {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch (cause) {
      throw failure(null, 'not UTF-8', cause);
    }
  }

  function parsed(source: string): YamlPackage.Document.Parsed {
    try {
      const options = {
        version: '1.2',
        schema: scalars === 'typed' ? 'core' : 'failsafe',
        strict: true,
        prettyErrors: false,
        uniqueKeys: false,
        stringKeys: true,
      } as const;
      return parseDocument(source, { ...options, merge: false, lineCounter: lines });
    } catch (cause) {
      throw failure(null, 'not YAML or JSON', cause);
    }
  }

  function assertPlain(source: YamlPackage.Document.Parsed): void {
    visit(source, {
      Alias: (_, node) => {
        throw failure(at(node.range?.[0] ?? 0), 'no aliases: write the value out');
      },
      Node: (_, node) => {
        const { tag, anchor, range } = node as { tag?: string; anchor?: string; range?: number[] | null };
        if (tag !== undefined || anchor !== undefined)
          throw failure(at(range?.[0] ?? 0), 'no tags and no anchors: write the value plainly');
      },
      // The parser's own check compares every key with every other one.
      Map: (_, map) => {
        const seen = new Set<unknown>();
        for (const { key } of map.items) {
          const name = isScalar(key) ? key.value : key;
          if (seen.has(name)) throw failure(at(startOf(key)), 'the key is there twice');
          seen.add(name);
        }
      },
      Pair: (_, pair) => {
        const { key } = isPair(pair) ? pair : { key: null };
        // Merge keys say what stands elsewhere; validators skip the other one, and a line that is skipped forbids nothing.
        if (isScalar(key) && (key.value === '<<' || key.value === '__proto__'))
          throw failure(at(key.range?.[0] ?? 0), `the key ${key.value} is not allowed`);
      },
    });
  }
}

const startOf = (node: unknown): number =>
  (node as { range?: readonly number[] | null } | null)?.range?.[0] ?? 0;
