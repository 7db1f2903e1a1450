// What became of one file, and who measures it.
import type { Violation } from '../../document/violations.ts';
import type { Format, Layout } from '../format/layout.ts';
import type { Kind, State } from '../identify/kind.ts';
import type { OtherDigests } from '../model/claim/other-digests.ts';
import type { FileEntry } from '../model/file.ts';
import type { RangeMeasurement } from './record/record.ts';
import type { ZeroRun } from './record/zero-run.ts';

/** What became of one file. */
export interface MeasuredFile {
  readonly entry: FileEntry;
  /** ModelFile.identity: who opens the file again can tell whether it is the one that was measured. */
  readonly identity: string;
  readonly format: Format | null;
  readonly size: number;
  readonly sha256: string;
  /** null: not a weight file, or its header could not be used (there are violations then). */
  readonly layout: Layout | null;
  readonly violations: readonly Violation[];
  /** What it is by its content, and how far it was looked into. */
  readonly kind: Kind;
  readonly state: State;
  /** As in Content. */
  readonly quantised?: string;
  /** Of the kinds that claims about the file are of. */
  readonly digests?: OtherDigests;
  /** By the index of the tensor: zeros where the rest has values. */
  readonly zeroRuns?: readonly ZeroRun[];
  /** The whole file, if it holds no weights but says something about them (a shard index). */
  readonly document: Uint8Array | null;
  /** As layout.tensors; null: overlaps another tensor. */
  readonly tensors: readonly (RangeMeasurement | null)[];
  readonly kernel: string;
  readonly seconds: number;
}

/** Where files are measured, `width` of them at a time. */
export interface Lanes {
  readonly width: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** `last`: what follows is shorter than this file, so that more than one worker may take it. */
  measure(entry: FileEntry, index: number, last: boolean): Promise<MeasuredFile>;
  close(): Promise<void>;
}
