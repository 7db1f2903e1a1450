// What a peek says.
import type { Finding } from '../../rules/finding.ts';
import type { Format } from '../../scan/format/layout.ts';
import type { MetadataProfile } from '../../scan/profile/profile.ts';
import type { Pin } from '../../source/source.ts';

interface PeekedTensor {
  readonly name: string;
  readonly file: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

export interface Peek {
  readonly source: string;
  readonly pin: Pin;
  readonly files: readonly {
    readonly path: string;
    readonly size: number;
    /** null: no weight file by its name; nothing of it was read. */
    readonly format: Format | null;
    readonly headerSize: number | null;
    readonly metadata: readonly MetadataProfile[];
  }[];
  readonly tensors: readonly PeekedTensor[];
  /** Of the rules that look at headers and at the files beside the weights. */
  readonly findings: readonly Finding[];
  readonly requests: number;
  readonly bytesRead: number;
  /** What a pass of this is not: in words, for people. */
  readonly notLookedAt: readonly string[];
}
