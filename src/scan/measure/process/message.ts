// What a process that measures is sent, and what it answers.
import type { ErrorCode, ErrorPlace } from '../../../rules/error.ts';
import type { FileEntry } from '../../model/file.ts';
import type { MeasuredFile } from '../measured.ts';
import type { Io } from '../native.ts';
import type { Wanted } from '../plan.ts';

export interface IsolatedJob {
  readonly entry: FileEntry;
  readonly io: Io;
  readonly wanted: Wanted;
}

export type IsolatedReply =
  | { readonly kind: 'progress'; readonly bytesDone: number; readonly bytesTotal: number }
  | { readonly kind: 'file'; readonly file: MeasuredFile }
  | ({ readonly kind: 'failure'; readonly code: ErrorCode; readonly message: string } & ErrorPlace);
