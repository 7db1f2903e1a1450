// A run that is read: an index of its lines in memory, the answers on disk. Ten thousand answers with their log-probabilities are
// a gigabyte.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { JsonReader } from '../../document/json/reader.ts';
import { Fault, Violations } from '../../document/violations.ts';
import { errnoOf, SteelyardError } from '../../rules/error.ts';
import {
  isRunAnswer,
  type RunAnswer,
  type RunEnd,
  RunEndSchema,
  type RunHeader,
  RunHeaderSchema,
} from './run-schema.ts';

export interface RunFile {
  readonly path: string;
  readonly header: RunHeader;
  /** null: the run was cut off. */
  readonly end: RunEnd | null;
  /** `id repeat`, in the order of the file. */
  readonly keys: readonly string[];
  /** Where the last whole answer ends. */
  readonly bodyEnd: number;
  /** Whether the target gave an answer: text, or the word of a filter. */
  isAnswered(key: string): boolean;
  read(key: string): RunAnswer | undefined;
  close(): void;
}

interface Place {
  readonly offset: number;
  readonly size: number;
  readonly answered: boolean;
}

const LINE = 64 * 2 ** 20;
const ANSWERS = 1_000_000;
const CHUNK = 1 << 20;

/** Reads and checks every line. Throws INVALID_DOCUMENT with the line, IO, NOT_FOUND, LIMIT. */
export function openRun(path: string): RunFile {
  const file = opened(path);
  try {
    return indexed(path, file);
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function indexed(path: string, file: number): RunFile {
  const places = new Map<string, Place>();
  let header: RunHeader | undefined;
  let end: RunEnd | null = null;
  let bodyEnd = 0;
  let number = 0;
  const invalid = (reason: string): SteelyardError =>
    new SteelyardError('INVALID_DOCUMENT', `${path}:${number}: ${reason}`, { file: path });
  for (const { offset, bytes } of linesOf(file, path)) {
    number++;
    const value = parsed(bytes, invalid);
    if (end !== null) throw invalid('something follows the end of the run');
    if (header === undefined) {
      const result = RunHeaderSchema.safeParse(value);
      if (!result.success)
        throw invalid('this is no run: the first line is not that of steelyard/canary-run/1');
      header = result.data;
    } else if ((value as { end?: unknown }).end !== undefined) {
      const result = RunEndSchema.safeParse(value);
      if (!result.success) throw invalid('the last line is malformed');
      end = result.data;
      continue;
    } else {
      if (!isRunAnswer(value)) throw invalid('this line is no answer of steelyard/canary-run/1');
      const key = `${value.id} ${value.repeat}`;
      if (places.get(key)?.answered) throw invalid(`the prompt ${key} is answered twice`);
      if (places.size >= ANSWERS)
        throw new SteelyardError('LIMIT', `more than ${ANSWERS} answers`, { file: path });
      const answered = value.status === 'ok' || value.status === 'filtered';
      places.set(key, { offset, size: bytes.length, answered });
    }
    bodyEnd = offset + bytes.length + 1;
  }
  if (header === undefined) throw invalid('the run is empty');
  return {
    path,
    header,
    end,
    keys: [...places.keys()],
    bodyEnd,
    isAnswered: (key) => places.get(key)?.answered ?? false,
    read: (key) => {
      const place = places.get(key);
      if (place === undefined) return undefined;
      const bytes = Buffer.alloc(place.size);
      readSync(file, bytes, 0, place.size, place.offset);
      return JSON.parse(bytes.toString('utf8')) as RunAnswer;
    },
    close: () => closeSync(file),
  };
}

function opened(path: string): number {
  try {
    const file = openSync(path, 'r');
    if (fstatSync(file).isFile()) return file;
    closeSync(file);
  } catch (cause) {
    const errno = errnoOf(cause);
    const code = errno === 'ENOENT' ? 'NOT_FOUND' : 'IO';
    throw new SteelyardError(code, `cannot read the run ${path} (${errno ?? cause})`, { file: path, cause });
  }
  throw new SteelyardError('NOT_REGULAR', `the run ${path} is not a file`, { file: path });
}

/** Whole lines; what a crash left of the last one is none. */
function* linesOf(file: number, path: string): Iterable<{ offset: number; bytes: Buffer }> {
  let rest = Buffer.alloc(0);
  let offset = 0;
  const chunk = Buffer.alloc(CHUNK);
  for (let at = 0; ; ) {
    const got = readSync(file, chunk, 0, CHUNK, at);
    if (got === 0) return;
    at += got;
    rest = Buffer.concat([rest, chunk.subarray(0, got)]);
    for (let newline = rest.indexOf(10); newline >= 0; newline = rest.indexOf(10)) {
      yield { offset, bytes: rest.subarray(0, newline) };
      offset += newline + 1;
      rest = rest.subarray(newline + 1);
    }
    if (rest.length > LINE)
      throw new SteelyardError('LIMIT', `a line is longer than ${LINE} bytes`, { file: path });
  }
}

/** No key twice, nothing behind the value, UTF-8. */
function parsed(bytes: Buffer, invalid: (reason: string) => SteelyardError): unknown {
  const violations = new Violations();
  try {
    const reader = new JsonReader(bytes, 0, violations);
    reader.skip();
    if (!Number.isNaN(reader.peek())) throw invalid('something follows the value');
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw invalid(error.message);
  }
  const [first] = violations.list();
  if (first !== undefined) throw invalid(first.message);
  return JSON.parse(bytes.toString('utf8'));
}
