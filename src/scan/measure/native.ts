// Finds and loads the addon; the only file that does. There is no slow fallback: two result paths in production would be
// one too many, and the slow twin in test/ exists to prove this one.
import { createRequire } from 'node:module';
import { SteelyardError } from '../../rules/error.ts';
import { PACKAGE_ROOT } from '../../runtime/package.ts';

/** How the bytes are read: 'auto' maps where the system allows it. Same results. */
export type Io = 'auto' | 'mmap' | 'pread';

/** What of the pass a call does: 'ranges' leaves out the file's digest, so that two threads can share a file. */
export type Part = 'all' | 'ranges';

export interface NativeMeasurement {
  readonly outcome: 'done' | 'aborted' | 'truncated' | 'failed';
  readonly kernel: string;
  /** Where reading failed, and the system's errno (0: none). */
  readonly offset: number;
  readonly errno: number;
  /** Slots of 64 bits; read by record.ts. The first four are the file's digest, zeros in part 'ranges'. */
  readonly record: ArrayBuffer;
}

export interface NativeDifference {
  readonly outcome: NativeMeasurement['outcome'];
  /** On which side reading failed, where, and the system's errno (0: none). */
  readonly side: 0 | 1;
  readonly offset: number;
  readonly errno: number;
  /** Slots of 64 bits; read by difference.ts. */
  readonly record: ArrayBuffer;
}

interface Addon {
  measure(
    fd: number,
    size: number,
    ranges: Float64Array,
    control: BigInt64Array | null,
    slot: number,
    io: Io,
    kernel: string | null,
    part?: Part,
    /** The word of `control` that says how much of a file that is still arriving is there. */
    following?: number,
    /** Where its bytes are instead of in the file: byte i at i modulo the length, until the word of `slot` has passed it. */
    ring?: Uint8Array,
  ): NativeMeasurement;
  /**
   * `what`: the seed of a sketch, or a basis: rows × rank, onto which the difference is projected instead; of the side 'right'
   * columns × rank, which it is multiplied by.
   */
  difference(
    plan: Float64Array,
    what: bigint | Float64Array,
    control: BigInt64Array | null,
    slot: number,
    io: Io,
    side?: 'left' | 'right',
  ): NativeDifference;
  /**
   * QR of the factors of one or two low-rank updates (native/adapter/factors.h). `bytes`: A and B of each; `plan`, six numbers each:
   * dtype codes of A and B, rank, in, out; and 1 if A stands as [rank, in], plus 2 if B stands as [rank, out]. Per update R_A, R_B and the sums of x … x⁴ over BA;
   * after two, A and B of the second in the basis of both. null: a value is not finite.
   */
  factors(bytes: readonly Uint8Array[], plan: Float64Array): Float64Array | null;
  kernels(): string[];
  dtypes(): [name: string, blockCount: number, blockSize: number][];
}

const NAPI_VERSION = 9; // Node 20's; a newer Node runs it too

let loaded: Addon | undefined;

/** The addon. Throws NATIVE_UNAVAILABLE with advice. */
export function native(): Addon {
  if (loaded === undefined) loaded = load();
  return loaded;
}

function load(): Addon {
  const require = createRequire(import.meta.url);
  try {
    const find = require('pkg-prebuilds') as (root: string, options: object) => Addon;
    return find(PACKAGE_ROOT, { name: 'steelyard', napi_versions: [NAPI_VERSION] });
  } catch (cause) {
    // Node's --permission forbids addons, workers and files one by one.
    if (
      (cause as { code?: unknown }).code === 'ERR_DLOPEN_DISABLED' ||
      /loading addons is disabled/i.test(String(cause))
    )
      throw new SteelyardError(
        'NATIVE_UNAVAILABLE',
        'Node was started with --permission and may not load the native addon; add --allow-addons --allow-worker ' +
          `--allow-fs-read="${PACKAGE_ROOT}/*", and --allow-fs-read for the model`,
        { cause },
      );
    throw new SteelyardError(
      'NATIVE_UNAVAILABLE',
      `the native addon cannot be loaded on ${process.platform}-${process.arch} with Node ${process.version}: ` +
        `${(cause as Error).message.split('\n')[0]}. If this platform has no prebuilt addon, build it (CMake 3.19 and a ` +
        `C++20 compiler): cd "${PACKAGE_ROOT}" && npm install --include=dev --ignore-scripts && npm run build:native`,
      { cause },
    );
  }
}
