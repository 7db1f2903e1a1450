// What runs in a worker thread: one file or one part of it, one native call. A plain object goes back, because errors lose their fields on
// the way between threads.
import { late } from '../../../runtime/loading.ts';
import { type Io, type NativeMeasurement, native, type Part } from '../native.ts';

export interface Job {
  readonly fd: number;
  readonly size: number;
  readonly ranges: Float64Array;
  /** Word 0: abort flag; word `slot`: bytes done. */
  readonly control: BigInt64Array;
  readonly slot: number;
  readonly io: Io;
  readonly part: Part;
  /** The word that says how many bytes of a file have arrived; 0: all are there. */
  readonly following: number;
  /** Shared memory that its bytes come through; without it they come into the file. */
  readonly ring?: Uint8Array;
}

export function measure({
  fd,
  size,
  ranges,
  control,
  slot,
  io,
  part,
  following,
  ring,
}: Job): NativeMeasurement {
  return native().measure(
    fd,
    size,
    ranges,
    control,
    slot,
    io,
    null,
    part,
    ...(following === 0 ? [] : [following]),
    ...(ring === undefined ? [] : [ring]),
  );
}

/** From this on, copying a record to the other thread costs more than loading what moves it. */
const MOVED_SIZE = 4 * 1024 * 1024;

export default function run(job: Job): unknown {
  const measured = measure(job);
  if (measured.record.byteLength < MOVED_SIZE) return measured;
  const piscina = late<typeof import('piscina')>('piscina');
  return piscina.move({
    [piscina.transferableSymbol]: [measured.record],
    [piscina.valueSymbol]: measured,
  });
}
