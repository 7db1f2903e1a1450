// The shape and the rank of a module's update, from the shapes of its parts. What cannot be multiplied has neither.
import { type AdapterModule, type AdapterTensor, sizeOf } from './module.ts';

/** A low-rank update's factors, whichever way they stand in the file. */
interface LowRank {
  readonly a: AdapterTensor;
  readonly b: AdapterTensor;
  /** As each factor has it: where these differ they cannot be multiplied. */
  readonly rankOfA: number;
  readonly rankOfB: number;
  readonly inner: number;
  readonly out: number;
  /** Of convolutions; empty otherwise. */
  readonly kernel: readonly number[];
  /** MLX's experts: a first dimension of both. */
  readonly experts: number;
  /** A stands as [in, r]; B as [r, out]. */
  readonly aByInput: boolean;
  readonly bByRank: boolean;
}

/** null: not both factors, or not matrices. `isGguf`: llama.cpp keeps the A of an embedding as [vocabulary, r]. */
export function lowRankOf(module: AdapterModule, isGguf: boolean): LowRank | null {
  const { a, b } = module.parts;
  if (a === undefined || b === undefined || a.shape.length < 2 || b.shape.length < 2) return null;
  if (module.flipped) return flippedOf(a, b);
  const aByInput = isGguf && module.embedding;
  return {
    a,
    b,
    rankOfA: a.shape[aByInput ? 1 : 0]!,
    rankOfB: b.shape[1]!,
    inner: a.shape[aByInput ? 0 : 1]!,
    out: b.shape[0]!,
    kernel: kernelOf(module, a, b),
    experts: 1,
    aByInput,
    bByRank: false,
  };
}

/** Of A, of the middle of a Tucker form, or (LyCORIS' first versions) of B. */
function kernelOf({ parts: { mid } }: AdapterModule, a: AdapterTensor, b: AdapterTensor): readonly number[] {
  const own = (mid ?? a).shape.slice(2);
  return sizeOf(own) === 1 && sizeOf(b.shape.slice(2)) > 1 ? b.shape.slice(2) : own;
}

function flippedOf(a: AdapterTensor, b: AdapterTensor): LowRank | null {
  if (a.shape.length !== b.shape.length || a.shape.length > 3) return null;
  const whole = { a, b, kernel: [], aByInput: true, bByRank: true };
  if (a.shape.length === 2)
    return {
      ...whole,
      inner: a.shape[0]!,
      rankOfA: a.shape[1]!,
      rankOfB: b.shape[0]!,
      out: b.shape[1]!,
      experts: 1,
    };
  // Experts: A as [experts, r, in], B as [experts, out, r] (mlx_lm/tuner/lora.py, LoRASwitchLinear).
  if (a.shape[0] !== b.shape[0]) return null;
  const [experts, rankOfA, inner] = a.shape as [number, number, number];
  const [, out, rankOfB] = b.shape as [number, number, number];
  return { ...whole, rankOfA, rankOfB, inner, out, experts, aByInput: false, bByRank: false };
}

/** The rank that the update is scaled by; null: it has none, or its factors are not there. */
export function rankOf({ family, flipped, embedding, parts }: AdapterModule): number | null {
  if (family === 'lora' || family === 'adalora') {
    const { a, b } = parts;
    if (a === undefined || b === undefined || a.shape.length < 2 || b.shape.length < 2) return null;
    return flipped
      ? (lowRankOf({ name: '', family, flipped, embedding, parts }, false)?.rankOfB ?? null)
      : b.shape[1]!;
  }
  if (family === 'loha') return parts.w1b?.shape[0] ?? null;
  if (family === 'lokr') return parts.w1b?.shape[0] ?? parts.w2b?.shape[0] ?? null;
  return null;
}

/** LoKr without any low-rank factor. */
export const isWholeKron = ({ family, parts }: AdapterModule): boolean =>
  family === 'lokr' && parts.w1 !== undefined && parts.w2 !== undefined;

/** The update's dimensions, outermost first, the kernel behind them; a string: why its parts cannot be put together. */
export function updateShape(module: AdapterModule, isGguf: boolean): readonly number[] | string | null {
  switch (module.family) {
    case 'lora':
    case 'adalora':
      return lowRankShape(module, isGguf);
    case 'loha':
      return hadamardShape(module.parts);
    case 'lokr':
      return kroneckerShape(module.parts);
    case 'full':
      return module.parts.diff?.shape ?? null;
    default:
      return null;
  }
}

function lowRankShape(module: AdapterModule, isGguf: boolean): readonly number[] | string {
  const low = lowRankOf(module, isGguf);
  if (low === null || low.rankOfA !== low.rankOfB) return 'A and B cannot be multiplied';
  const { mid, e } = module.parts;
  if (mid !== undefined && (mid.shape[0] !== low.rankOfB || mid.shape[1] !== low.rankOfA))
    return 'the middle factor fits neither A nor B';
  if (e !== undefined && sizeOf(e.shape) !== low.rankOfA)
    return 'lora_E has not one number for each direction';
  return [...(low.experts > 1 ? [low.experts] : []), low.out, low.inner, ...low.kernel];
}

type Parts = AdapterModule['parts'];

function hadamardShape({ w1a, w1b, w2a, w2b, t1, t2 }: Parts): readonly number[] | string {
  const one = halfShape(w1a!, w1b!, t1);
  const other = halfShape(w2a!, w2b!, t2);
  if (one === null || other === null || one.join() !== other.join())
    return 'the two products have not one shape, or cannot be made';
  return one;
}

/** w_a·w_b, or with a Tucker core t: w_aᵀ·t·w_b over the first two dimensions of t. */
function halfShape(
  a: AdapterTensor,
  b: AdapterTensor,
  t: AdapterTensor | undefined,
): readonly number[] | null {
  if (a.shape.length !== 2 || b.shape.length !== 2) return null;
  if (t === undefined) return a.shape[1] === b.shape[0] ? [a.shape[0]!, b.shape[1]!] : null;
  const fits = t.shape[0] === a.shape[0] && t.shape[1] === b.shape[0];
  return fits ? [a.shape[1]!, b.shape[1]!, ...t.shape.slice(2)] : null;
}

function kroneckerShape({ w1, w1a, w1b, w2, w2a, w2b, t2 }: Parts): readonly number[] | string {
  const one = w1?.shape ?? (w1a && w1b ? productShape(w1a.shape, w1b.shape) : null);
  const other =
    w2?.shape ??
    (w2a && w2b ? (t2 === undefined ? productShape(w2a.shape, w2b.shape) : halfShape(w2a, w2b, t2)) : null);
  if (one === null || other === null || one.length < 2 || other.length < 2)
    return 'the two sides of the Kronecker product cannot be made';
  return [one[0]! * other[0]!, one[1]! * other[1]!, ...other.slice(2)];
}

const productShape = (a: readonly number[], b: readonly number[]): readonly number[] | null =>
  a.length === 2 && b.length >= 2 && a[1] === b[0] ? [a[0]!, ...b.slice(1)] : null;
