// Files that hold a pickle from their beginning, or behind the header of a NumPy array: followed to the end of each pickle,
// because PyTorch's old format is five of them one after the other and a loader reads on.
import { quoted, type Violation } from '../../document/violations.ts';
import type { Pieces } from '../../runtime/turn.ts';
import { walkPickle } from '../format/disguise/pickle.ts';
import type { ByteSource } from '../format/layout.ts';
import { gravest } from './calls.ts';
import type { Budget } from './container.ts';
import type { Content } from './kind.ts';

/** What loaders unpickle by its name. */
const UNPICKLED = /\.(bin|pt|pth|ckpt|pkl|pickle|joblib|dill|pt2|ptl|cpkl|p)$|(^|\/)data\.pkl$/i;
const LEAST = 16; // chance makes shorter ones
const PICKLES = 10_000;

/** null: no pickle. */
export function* followPickles(
  path: string,
  source: ByteSource,
  head: Buffer,
  budget: Budget,
): Pieces<Content | null> {
  const array = arrayOf(head);
  if (array !== null && !array.objects) return null;
  const followed = yield* follow(source, array?.start ?? 0, budget);
  const { names, size, complete, count } = followed;
  if (array === null && !isPickle(path, head, followed)) return null;
  const { severity, name } = gravest(names);
  const what =
    array === null ? 'the file is a pickle' : 'the file is an array of objects, which is a pickle,';
  const calls =
    name !== null
      ? ` that imports ${quoted(name)}`
      : names.length === 0
        ? ' that imports nothing'
        : ` that imports ${names.length === 1 ? quoted(names[0]!) : `${names.length} names of known libraries`}`;
  const end = complete ? '' : `; it could be followed for ${size} bytes only`;
  const more = count > 1 ? ` (${count} pickles in a row)` : '';
  const violation: Violation = { rule: 'file/pickle', severity, message: `${what}${calls}${more}${end}` };
  return { kind: 'pickle', violations: [violation] };
}

interface Followed {
  readonly names: readonly string[];
  readonly size: number;
  readonly complete: boolean;
  readonly count: number;
}

function* follow(source: ByteSource, start: number, budget: Budget): Pieces<Followed> {
  const names = new Set<string>();
  let at = start;
  let count = 0;
  let complete = false;
  while (at < source.size && count < PICKLES && budget.opcodes > 0) {
    const pickle = yield* walkPickle(source, at, budget.opcodes);
    if (pickle === null) break;
    budget.opcodes -= pickle.size; // every opcode has a byte
    for (const name of pickle.names) names.add(name);
    count++;
    at += pickle.size;
    complete = pickle.complete;
    if (!complete) break;
  }
  return { names: [...names], size: at - start, complete, count };
}

/** Any text may begin as an old pickle does; a protocol's number, an end, or a name that acts is what tells them. */
function isPickle(path: string, head: Buffer, { names, size, complete, count }: Followed): boolean {
  if (count === 0) return UNPICKLED.test(path) && head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5;
  const marked = head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5;
  if (marked) return complete || names.length > 0 || UNPICKLED.test(path);
  if (names.length > 0) return complete || gravest(names).severity === 'critical';
  return complete && size >= LEAST && UNPICKLED.test(path);
}

/** NumPy's header: its version, a length, and a dictionary as Python writes it. */
function arrayOf(head: Buffer): { readonly objects: boolean; readonly start: number } | null {
  if (head.length < 12 || head.toString('latin1', 0, 6) !== '\x93NUMPY') return null;
  const wide = head[6]! >= 2;
  const start = (wide ? 12 : 10) + (wide ? head.readUInt32LE(8) : head.readUInt16LE(8));
  const dictionary = head.toString('latin1', wide ? 12 : 10, Math.min(start, head.length));
  return { objects: /'descr'\s*:\s*(?:'[|<>=]?O'|\[[^\]]*'[|<>=]?O')/.test(dictionary), start };
}
