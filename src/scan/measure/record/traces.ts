// What a pass with the forensics option also measures: traces that a payload would leave. Facts; inspect/forensics.ts judges.
import type { Slots } from './slots.ts';

/** Windows one after the other whose entropy is odd in one way; positions count weights. */
interface Run {
  readonly windows: number;
  /** Index of the first weight. */
  readonly start: number;
  /** Mean entropy, bits. */
  readonly entropy: number;
}

/** One byte of every weight that is not zero, in windows of 16,384 of them. */
export interface Plane {
  readonly windows: number;
  /** Median entropy, bits; null: no whole window. */
  readonly median: number | null;
  /** The longest run, of at least two, of windows below 7.9887 − 8 × .0010 and below the median − .05. */
  readonly low: Run | null;
  /** Likewise above 7.9887 − 4 × .0010 and above the median + .02. */
  readonly high: Run | null;
}

/** Where the beginning of a file of another format stands; its magic was checked, its header not yet. */
interface Candidate {
  readonly stream: string;
  /** Position in that stream, bytes. */
  readonly at: number;
  /** The bytes from there on, as many as a header needs. */
  readonly head: Uint8Array;
}

export interface Traces {
  /** F32: its three low bytes, lowest first; F16, BF16: the low one; else none. */
  readonly planes: readonly Plane[];
  /** 16-bit floats: normal numbers whose mantissa is 0, and 1. */
  readonly boundary: readonly [zero: number, one: number];
  /**
   * 16-bit floats: (χ² − d) / √(2d) of codes that differ in their lowest k = 1 to 4 bits only being equally many (Westfeld and
   * Pfitzmann 1999), over normal numbers; null where no such codes are frequent enough.
   */
  readonly pairs: readonly (number | null)[];
  /** Different NaN codes, up to 256, that are not the quiet one without payload; and those that signal. F64, F32, F16, BF16. */
  readonly oddNaN: number;
  readonly signallingNaN: number;
  readonly candidates: readonly Candidate[];
}

/** Names of the streams of bytes, in the order of native/counts/traces/forensics.cc; the first holds all bytes. */
const STREAMS = [
  'its bytes',
  'the lowest byte of each value',
  'the second byte of each value',
  'the third byte of each value',
  'the two low bytes of each value',
  'the two low bytes of each value, the higher first',
  'the three low bytes of each value',
  'the three low bytes of each value, the highest first',
];
const HEAD_SLOTS = 512;

export function readTraces(slots: Slots): Traces | null {
  if (slots.number() === 0) return null;
  const planes = Array.from({ length: slots.number() }, () => readPlane(slots));
  const boundary = [slots.number(), slots.number()] as const;
  const pairs = slots.nullables(4);
  const [oddNaN, signallingNaN] = [slots.number(), slots.number()];
  const candidates = Array.from({ length: slots.number() }, () => ({
    stream: STREAMS[slots.number()]!,
    at: slots.number(),
    head: slots.bytes(HEAD_SLOTS),
  }));
  return { planes, boundary, pairs, oddNaN, signallingNaN, candidates };
}

const readPlane = (slots: Slots): Plane => ({
  windows: slots.number(),
  median: slots.nullable(),
  low: readRun(slots),
  high: readRun(slots),
});

function readRun(slots: Slots): Run | null {
  const [windows, start, entropy] = [slots.number(), slots.number(), slots.number()];
  return windows === 0 ? null : { windows, start, entropy };
}
