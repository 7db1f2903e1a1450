// Files come in pieces, several at a time, each written where it belongs. What was written and synced stands in the ledger.

import { setMaxListeners } from 'node:events';
import { closeSync, fdatasync, fstatSync, ftruncateSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { SteelyardError } from '../../rules/error.ts';
import type { Source, SourceFile } from '../../source/source.ts';
import type { Ledger } from './ledger.ts';
import { type Quarantine, writeError } from './quarantine.ts';

/** Bytes of a file that one connection fetches at a time. */
const PIECE = 64 * 2 ** 20;
/**
 * So near the end of a file pieces are small: the pass behind the bytes takes them in order, and what came before its turn is left to
 * measure when the last byte is there.
 */
const END = 8 * PIECE;
const END_PIECE = 8 * 2 ** 20;
/** Bytes after which a disk is set to work, so that little is left to do when the last one is there. */
const FLUSHED = 8 * 2 ** 20;
/** Between two times that the ledger is written: with thousands of small files it is long. */
const RECORD_INTERVAL = 500; // ms

interface Arrival {
  readonly source: Source;
  readonly quarantine: Quarantine;
  /** Name of the listing in the ledger. */
  readonly listing: string;
  readonly connections: number;
  readonly signal: AbortSignal;
  /** Bytes that are there, each time some more are. */
  readonly onBytes: (count: number) => void;
  /** The first `available` bytes of a file are there. */
  readonly onPrefix: (file: SourceFile, available: number) => void;
  /** A file is whole, in the quarantine. Not yet whether it is right. */
  readonly onFile: (file: SourceFile) => void;
}

/** How a file is cut: so many pieces, each from its start to that of the next one. */
interface Pieces {
  readonly count: number;
  start(index: number): number;
}

/** A file under way. */
interface Part {
  readonly file: SourceFile;
  readonly pieces: Pieces;
  readonly done: Set<number>;
  left: number;
  /** The first piece that is not there, and how far the file goes without a gap. */
  first: number;
  available: number;
  descriptor: number | null;
}

interface Piece {
  readonly part: Part;
  readonly index: number;
  readonly start: number;
  readonly end: number;
}

const sync = promisify(fdatasync);

/** Fetches what is missing of every file. The first error stops all; what arrived before it stays for the next time. */
export async function arrive(arrival: Arrival): Promise<void> {
  const { source, quarantine, listing, connections, onBytes, onPrefix, onFile } = arrival;
  const known = quarantine.resume(listing);
  const seekable = await source.seekable(arrival.signal);
  const parts = source.files.map((file) => partOf(file, known, seekable));
  const awaited = parts.reduce((sum, part) => sum + lacking(part), 0);
  quarantine.assertRoom(awaited); // a size is a claim: before anything is made for its pieces
  const pieces = parts.flatMap((part) => missing(part));
  onBytes(source.files.reduce((sum, { size }) => sum + size, 0) - awaited);
  let recorded = Number.NEGATIVE_INFINITY;
  const record = (isLast = false): void => {
    if (!isLast && performance.now() - recorded < RECORD_INTERVAL) return;
    recorded = performance.now();
    quarantine.record({ listing, pieces: new Map(parts.map(({ file, done }) => [file.path, done])) });
  };
  record();
  for (const part of parts) if (part.left === 0) finish(part);
  const failed = new AbortController();
  setMaxListeners(0, failed.signal); // each request on its way hears it
  const stop = (): void => failed.abort();
  if (arrival.signal.aborted) stop();
  arrival.signal.addEventListener('abort', stop);
  let next = 0;
  const connection = async (): Promise<void> => {
    while (next < pieces.length && !failed.signal.aborted) {
      const piece = pieces[next++]!;
      await fetchPiece(source, quarantine, piece, failed.signal, (count, at) => {
        onBytes(count);
        grow(piece, at);
      });
      piece.part.done.add(piece.index);
      grow(piece, piece.end);
      if (--piece.part.left === 0) finish(piece.part);
      record();
    }
  };
  const running = Array.from({ length: Math.min(connections, pieces.length) }, () =>
    connection().catch((error) => {
      stop();
      throw error;
    }),
  );
  try {
    firstOf(await Promise.allSettled(running));
    if (arrival.signal.aborted) throw new SteelyardError('ABORTED', 'the transfer was aborted');
  } finally {
    arrival.signal.removeEventListener('abort', stop);
    for (const { descriptor } of parts) if (descriptor !== null) closeSync(descriptor);
    record(true);
  }

  /** Pieces come in any order; what is followed is the beginning without a gap. */
  function grow({ part, index }: Piece, end: number): void {
    if (index === part.first) part.available = Math.max(part.available, end);
    while (part.done.has(part.first)) part.first++;
    part.available = Math.max(part.available, part.pieces.start(part.first));
    onPrefix(part.file, part.available);
  }

  function finish(part: Part): void {
    // An empty file has no piece that would make it.
    part.descriptor ??= quarantine.openFile(part.file.path);
    if (fstatSync(part.descriptor).size !== part.file.size) ftruncateSync(part.descriptor, part.file.size);
    closeSync(part.descriptor);
    part.descriptor = null;
    onFile(part.file);
  }
}

/** Throws the first error that says something: of those that were stopped because of another none does. */
function firstOf(outcomes: readonly PromiseSettledResult<void>[]): void {
  const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  const isStopped = (error: unknown): boolean => error instanceof SteelyardError && error.code === 'ABORTED';
  const first = errors.find((error) => !isStopped(error)) ?? errors[0];
  if (first !== undefined) throw first;
}

/** A server that knows no ranges sends a file whole, over one connection. */
function piecesOf(size: number, seekable: boolean): Pieces {
  if (!seekable) return { count: size === 0 ? 0 : 1, start: (index) => (index === 0 ? 0 : size) };
  const large = Math.max(0, Math.floor((size - END) / PIECE));
  const small = Math.ceil((size - large * PIECE) / END_PIECE);
  const start = (index: number): number =>
    index < large ? index * PIECE : Math.min(size, large * PIECE + (index - large) * END_PIECE);
  return { count: large + small, start };
}

function partOf(file: SourceFile, known: Ledger | null, seekable: boolean): Part {
  const pieces = piecesOf(file.size, seekable);
  const done = new Set([...(known?.pieces.get(file.path) ?? [])].filter((index) => index < pieces.count));
  return { file, pieces, done, left: pieces.count - done.size, first: 0, available: 0, descriptor: null };
}

/** Bytes that are not there yet. */
const lacking = ({ file, pieces, done }: Part): number =>
  [...done].reduce((left, index) => left - (pieces.start(index + 1) - pieces.start(index)), file.size);

const missing = (part: Part): Piece[] =>
  Array.from({ length: part.pieces.count }, (_, index) => index)
    .filter((index) => !part.done.has(index))
    .map((index) => ({
      part,
      index,
      start: part.pieces.start(index),
      end: part.pieces.start(index + 1),
    }));

/** Written and on the disk, or an error. */
async function fetchPiece(
  source: Source,
  quarantine: Quarantine,
  { part, start, end }: Piece,
  signal: AbortSignal,
  onBytes: (count: number, end: number) => void,
): Promise<void> {
  part.descriptor ??= quarantine.openFile(part.file.path);
  const { descriptor } = part;
  const flush = (): Promise<void> =>
    sync(descriptor).catch((cause) => {
      throw writeError(cause, part.file.path);
    });
  let at = start;
  let flushed = at;
  let synced: Promise<void> = Promise.resolve();
  for await (const bytes of source.read(part.file, start, end, signal)) {
    writeAll(descriptor, bytes, at, part.file.path);
    at += bytes.length;
    onBytes(bytes.length, at);
    if (at - flushed < FLUSHED) continue;
    flushed = at;
    synced = synced.then(flush);
    synced.catch(() => undefined); // told below
  }
  await synced;
  await flush();
}

/** To hand each 64 KiB to another thread took longer than to write them. */
function writeAll(descriptor: number, bytes: Uint8Array, position: number, path: string): void {
  try {
    for (let done = 0; done < bytes.length; )
      done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
  } catch (cause) {
    throw writeError(cause, path);
  }
}
