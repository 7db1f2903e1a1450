// What a file is that none of our readers reads, by its content first and its name second, and whether it can run. Kinds are
// told and pickles followed; nothing here says that such a file is good.
import type { Violation } from '../../document/violations.ts';
import { quoted, Violations } from '../../document/violations.ts';
import type { RuleId, Severity } from '../../rules/rules.ts';
import { SEVERITIES } from '../../rules/rules.ts';
import type { Pieces } from '../../runtime/turn.ts';
import { memory } from '../format/disguise/magic.ts';
import type { ByteSource } from '../format/layout.ts';
import { kindByStart } from './beginning.ts';
import { checkDocument, OUTSIDE, quantisation } from './configuration.ts';
import { type Budget, budgetOfFile, tarMembers, unpackedStart, zipMembers } from './container.ts';
import { type Content, type Kind, kindWords, roleOf } from './kind.ts';
import { followPickles } from './pickles.ts';
import { textFacts } from './plain-text.ts';

/** What is looked at of a file before anything is followed. */
const LOOK = 65_536;
/** A pickle in a ZIP in a tar is the deepest that programs write. */
const DEPTH = 3;

export const identify = (path: string, source: ByteSource): Pieces<Content> =>
  identified(path, source, budgetOfFile(), 0);

function* identified(path: string, source: ByteSource, budget: Budget, depth: number): Pieces<Content> {
  yield;
  if (source.size === 0) return { kind: 'empty', violations: checkDocument(path, source, 'empty') };
  const head = Buffer.from(source.read(0, Math.min(source.size, LOOK)));
  const packed = yield* archived(path, source, head, budget, depth);
  if (packed !== null) return packed;
  const pickle = yield* followPickles(path, source, head, budget);
  if (pickle !== null) return pickle;
  const text = textFacts(path, head, source.size);
  if (text !== null && endsAsText(path, source)) {
    const problem = text.problem === null ? [] : [text.problem];
    const quantised = quantisation(path, source);
    return {
      kind: text.kind,
      violations: [...problem, ...runs(text.kind), ...checkDocument(path, source, text.kind)],
      ...(quantised === undefined ? {} : { quantised }),
    };
  }
  const kind = kindByStart(head) ?? 'unknown';
  return { kind, violations: kind === 'onnx' ? outsideData(source) : binary(path, kind, head) };
}

/** A text of which only the beginning is one is of no kind that is known. */
function endsAsText(path: string, source: ByteSource): boolean {
  if (source.size <= LOOK) return true;
  const tail = Buffer.from(source.read(source.size - LOOK, LOOK));
  const start = tail.findIndex((byte) => (byte & 0xc0) !== 0x80);
  return textFacts(path, tail.subarray(Math.max(start, 0)), LOOK) !== null;
}

const runs = (kind: Kind): Violation[] =>
  roleOf(kind) === 'runs' ? [{ rule: 'file/runs-code', message: `the file is ${kindWords(kind)}` }] : [];

/** ONNX names files with its external data; they are small then. */
function outsideData(source: ByteSource): Violation[] {
  const text = Buffer.from(source.read(0, Math.min(source.size, ONNX_SEARCHED))).toString('latin1');
  for (const [, path] of text.matchAll(LOCATION))
    if (OUTSIDE.test(path!)) {
      const message = `external data of the file leads out of the model: ${quoted(path!)}`;
      return [{ rule: 'file/runs-code', message }];
    }
  return [{ rule: 'file/opaque', message: `the file is ${kindWords('onnx')}` }];
}

const ONNX_SEARCHED = 8 * 2 ** 20;
const LOCATION = /\n.location..([ -~]{1,300})/gs;

/** Operations of TensorFlow that reach out of the graph, and layers of Keras that hold code. */
const REACHING = /\b(ReadFile|WriteFile|MatchingFiles|PyFunc|EagerPyFunc|PrintV2|"class_name": ?"Lambda")/;
/** What a loader takes for weights by its name, whatever is in it. */
const LOADABLE =
  /\.(bin|pt|pth|ckpt|pkl|pickle|joblib|dill|npy|npz|h5|hdf5|keras|onnx|onnx_data|pb|tflite|msgpack|ot|nemo|mar|mlmodel|weights|pdparams|pdiparams|pdopt|params|distcp|data-\d+-of-\d+|ggml|llamafile)$/i;

function binary(path: string, kind: Kind, head: Buffer): Violation[] {
  if (kind === 'program') return [{ rule: 'file/program', message: `the file is ${kindWords(kind)}` }];
  const reaching = ['hdf5', 'tensorflow'].includes(kind)
    ? REACHING.exec(head.toString('latin1'))?.[1]
    : undefined;
  if (reaching !== undefined)
    return [{ rule: 'file/runs-code', message: `the file is ${kindWords(kind)} and holds ${reaching}` }];
  if (roleOf(kind) === 'runs') return runs(kind);
  if (kind === 'unknown' ? !LOADABLE.test(path) : roleOf(kind) === 'data') return [];
  const name = kind === 'unknown' && /\.msgpack$/i.test(path) ? 'msgpack' : kind;
  return [{ rule: 'file/opaque', message: `the file is ${kindWords(name)}` }];
}

/** ZIP, tar, gzip and zlib, with what is in them; null: none of these. */
function* archived(
  path: string,
  source: ByteSource,
  head: Buffer,
  budget: Budget,
  depth: number,
): Pieces<Content | null> {
  const zip = head.toString('latin1', 0, 4) === 'PK\x03\x04';
  const tar = head.toString('latin1', 257, 262) === 'ustar';
  const stream =
    (head[0] === 0x1f && head[1] === 0x8b) ||
    (head[0] === 0x78 && [0x01, 0x5e, 0x9c, 0xda].includes(head[1]!));
  if (stream && !tar) return yield* unpackedContent(path, source, budget, depth);
  // Whoever looks for the directory finds a ZIP behind anything.
  const found = tar ? tarMembers(source, budget) : zipMembers(source, budget);
  if (found === null)
    return zip ? { kind: 'archive', violations: [unfollowed('its directory cannot be read')] } : null;
  const merged = new Merged();
  const names = found.members.map(({ name }) => name);
  if (depth >= DEPTH) merged.add(null, 'archive', [unfollowed('archives in it are nested too deep')]);
  else
    for (const member of found.members) {
      if (STORAGE.test(member.name)) continue;
      const inner = member.open();
      if (inner === null) {
        // A compressed picture or text of any size is nobody's danger.
        if (RUNNABLE.test(member.name))
          merged.add(member.name, 'unknown', [unfollowed('it is packed too tightly')]);
        continue;
      }
      const { kind, violations } = yield* identified(member.name, inner, budget, depth + 1);
      merged.add(member.name, kind, violations);
    }
  if (!found.whole || budget.members < 0)
    merged.add(null, 'archive', [unfollowed('its directory cannot be read to its end')]);
  const kind = containerKind(names, merged.kinds);
  return { kind, violations: merged.list(kind) };
}

/** Bytes of tensors in an archive of PyTorch, which no loader takes for files. */
const STORAGE = /(^|\/)data\/\d+$/;
const RUNNABLE = /\.(pkl|pickle|npy|py|so|dll|exe|pt|pth|bin|ckpt|joblib|json|h5)$|^[^.]*$/i;

const unfollowed = (why: string): Violation => ({
  rule: 'file/pickle',
  severity: 'medium',
  message: `the file cannot be followed to its end: ${why}`,
});

function* unpackedContent(
  path: string,
  source: ByteSource,
  budget: Budget,
  depth: number,
): Pieces<Content | null> {
  const unpacked = depth < DEPTH ? unpackedStart(source, budget) : null;
  if (unpacked === null) return null;
  const { kind, violations } = yield* identified(
    path.replace(/\.(gz|zlib|z)$/i, ''),
    memory(unpacked.bytes),
    budget,
    depth + 1,
  );
  if (roleOf(kind) === 'runs' && !['pickle', 'program'].includes(kind)) return { kind, violations };
  return kind === 'pickle' || kind === 'program'
    ? { kind, violations }
    : { kind: 'compressed', violations: opaque(path) };
}

const opaque = (path: string): Violation[] =>
  LOADABLE.test(path) ? [{ rule: 'file/opaque', message: 'the file is compressed bytes' }] : [];

function containerKind(names: readonly string[], kinds: ReadonlySet<Kind>): Kind {
  const has = (pattern: RegExp): boolean => names.some((name) => pattern.test(name));
  if (has(/(^|\/)data\.pkl$/)) return has(/(^|\/)code\//) ? 'torchscript' : 'pytorch';
  if (has(/(^|\/)constants\.pkl$/)) return 'torchscript';
  if (names.length > 0 && names.every((name) => /\.npy$/.test(name)))
    return kinds.has('pickle') ? 'pickle' : 'numpy';
  if (has(/^model\.weights\.h5$/)) return 'keras';
  const worst = (['program', 'pickle', 'pytorch', 'python', 'script', 'bytecode'] as const).find((kind) =>
    kinds.has(kind),
  );
  if (worst === 'program') return worst;
  if (worst === 'pickle' || worst === 'pytorch') return 'pickle';
  return worst === undefined ? 'archive' : 'python';
}

/** What the members of one archive come to: of each rule the gravest member, and how many there are. */
class Merged {
  readonly kinds = new Set<Kind>();
  readonly #found = new Map<RuleId, { first: Violation; count: number }>();

  add(member: string | null, kind: Kind, violations: readonly Violation[]): void {
    this.kinds.add(kind);
    for (const one of violations) {
      if (one.rule === 'file/opaque' || one.rule === 'file/lfs-pointer' || one.rule === 'file/json') continue;
      const named = member === null ? one : { ...one, message: `${quoted(member)} in it: ${one.message}` };
      const known = this.#found.get(one.rule);
      if (known === undefined) this.#found.set(one.rule, { first: named, count: 1 });
      else {
        known.count++;
        if (rank(one) > rank(known.first)) known.first = named;
      }
    }
  }

  list(kind: Kind): Violation[] {
    const violations = new Violations();
    for (const [rule, { first, count }] of this.#found) {
      const { message, severity } = first;
      violations.report(
        rule,
        count === 1 ? message : `${message}, and ${count - 1} more of its members`,
        severity && { severity },
      );
    }
    const list = violations.list();
    if (list.length > 0) return list;
    const rule =
      kind === 'torchscript' ? 'file/runs-code' : roleOf(kind) === 'weights' ? 'file/opaque' : null;
    return rule === null ? [] : [{ rule, message: `the file is ${kindWords(kind)}` }];
  }
}

const rank = ({ severity }: { readonly severity?: Severity }): number =>
  SEVERITIES.indexOf(severity ?? 'medium');
