// Traces of payloads in the values of tensors → findings. Where honest models differ, a tensor is held against those beside it
// (same dtype, same model), never against a number alone. Thresholds and how often they are wrong: docs/forensics.md.
import type { Finding } from '../../../rules/finding.ts';
import type { Check } from '../../../runtime/turn.ts';
import { recognizeStart } from '../../format/disguise/magic.ts';
import type { MeasuredFile } from '../../measure/measured.ts';
import type { Plane } from '../../measure/record/traces.ts';
import { siblingFindings } from './siblings.ts';
import { reported, type Traced } from './traced.ts';

export function inspectForensics(files: readonly MeasuredFile[], check: Check): Finding[] {
  const tensors = files.flatMap(tracedOf);
  return [
    ...tensors.flatMap((tensor) => {
      check();
      return ownFindings(tensor);
    }),
    ...siblingFindings(tensors),
  ];
}

function tracedOf({ entry, layout, tensors }: MeasuredFile): Traced[] {
  return (layout?.tensors ?? []).flatMap(({ name, dtype }, index) => {
    const { stats, traces } = tensors[index] ?? { stats: null, traces: null };
    return stats === null || traces === null ? [] : [{ file: entry.path, name, dtype, stats, traces }];
  });
}

/** What a tensor says without others beside it. */
function ownFindings(tensor: Traced): Finding[] {
  const { traces } = tensor;
  return [
    ...embedded(tensor),
    ...traces.planes.flatMap((plane, k) => stretches(tensor, plane, k)),
    ...payloads(tensor),
  ];
}

/** Of each kind of file the first place: an archive has a header per member. */
function embedded(tensor: Traced): Finding[] {
  const seen = new Set<string>();
  return tensor.traces.candidates.flatMap(({ stream, at, head }) => {
    const found = recognizeStart(head);
    if (found === null || seen.has(found.what)) return [];
    seen.add(found.what);
    return [reported(tensor, 'forensics/embedded-file', `${found.what} begins at byte ${at} of ${stream}`)];
  });
}

const PLANES = ['lowest', 'second', 'third'];

/** Bits that a plane of F32 has left where the values are those of F16 or BF16: low 13 zero, or 16. */
const NARROW = [0.5, 3.2, 8];
const F16_ZEROS = 13;

/** Values of an F32 tensor that F16 or BF16 holds as well: an embedding that was trained on from such a base has rows of them. */
const narrowOf = ({ dtype, stats }: Traced): number =>
  dtype === 'F32' ? (stats.trailingZeros ?? []).slice(F16_ZEROS).reduce((sum, count) => sum + count, 0) : 0;

/** Zeros carry nothing: such rows are no payload, and beside many of them trained rows are no stretch of noise. */
function isNarrow(tensor: Traced, rule: string, values: number, entropy: number, k: number): boolean {
  const narrow = narrowOf(tensor);
  const least = rule === 'forensics/plain-stretch' ? 0.9 * values : tensor.stats.count / 2;
  return k < 2 && narrow > 0 && entropy <= NARROW[k]! && narrow >= least;
}

function stretches(tensor: Traced, { median, low, high }: Plane, k: number): Finding[] {
  const found: Finding[] = [];
  for (const [rule, run] of [
    ['forensics/plain-stretch', low],
    ['forensics/random-stretch', high],
  ] as const) {
    if (run === null) continue;
    const seen = rule === 'forensics/plain-stretch' ? run.entropy : median!;
    if (isNarrow(tensor, rule, run.windows * 16_384, seen, k)) continue;
    const message =
      `the ${PLANES[k]} bytes of ${run.windows * 16_384} weights from ${run.start} on have ${run.entropy.toFixed(3)} bits of entropy, ` +
      `those of the tensor ${median!.toFixed(3)}`;
    found.push(reported(tensor, rule, message));
  }
  return found;
}

/** From so many different codes on, NaNs are a channel. */
const CHANNEL = 16;
/** Of more codes than arithmetic makes, stats/nan-codes has spoken already. */
const TOLD = 2;

function payloads(tensor: Traced): Finding[] {
  const { oddNaN, signallingNaN } = tensor.traces;
  const codes = oddNaN >= 256 ? 'at least 256' : String(oddNaN);
  const message = `${codes} codes of NaN other than the quiet one without payload, ${signallingNaN} of them signalling`;
  if (oddNaN >= CHANNEL) return [reported(tensor, 'forensics/nan-channel', message)];
  return oddNaN > 0 && tensor.stats.distinctNaN <= TOLD
    ? [reported(tensor, 'forensics/nan-payload', message)]
    : [];
}
