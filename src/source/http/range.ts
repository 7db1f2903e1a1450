// A byte range of a file, whatever the network does to it: cut connections go on where they ended, every answer has to be the
// very range of the very file that was listed, and not one byte more or less than was announced is taken.
import { SteelyardError } from '../../rules/error.ts';
import { encoded } from './document.ts';
import { isPassing, isPassingStatus, statusError } from './failure.ts';
import { contentLength, contentRange, retryAfter } from './header.ts';
import type { Answer, Headers, Http, Request } from './http.ts';
import { shown } from './redirect.ts';
import { TRIES, wait } from './retry.ts';

/** A file at an address. */
export interface Target {
  /** Asked for before each request: signed addresses expire. `fresh`: the last one was refused. */
  request(fresh: boolean): Promise<Omit<Request, 'signal' | 'method'>>;
  readonly size: number;
  /** A strong ETag: sent as If-Match, so that a file that was replaced is noticed; null: there is none. */
  readonly etag: string | null;
  /** What to do about 401 and 403. */
  readonly login: string;
}

/** The bytes [start, end), in order. Throws NETWORK, UNAUTHORIZED, NOT_FOUND, SOURCE_CHANGED, SOURCE_REDIRECT, ABORTED. */
export async function* fetchRange(
  http: Http,
  target: Target,
  start: number,
  end: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let at = start;
  let barren = 0;
  let refused = false;
  while (at < end) {
    let asked: number | null = null;
    try {
      const request = await target.request(refused);
      const headers = { ...request.headers, ...rangeHeaders(at, end, target) };
      const answer = await http.request({ ...request, headers, signal });
      if ((answer.status === 403 || answer.status === 401) && !refused) refused = true;
      else if (isPassingStatus(answer.status)) asked = retryAfter(answer.headers, Date.now());
      else {
        for await (const piece of bytesOf(answer, target, at, end)) {
          at += piece.length;
          [barren, refused] = [0, false];
          yield piece;
        }
        if (at < end) throw cut(answer.url, at);
        return;
      }
      answer.discard();
      if (++barren >= TRIES) throw statusError(answer.status, answer.url, target.login);
    } catch (error) {
      if (!isPassing(error) || ++barren >= TRIES) throw error;
    }
    await wait(http.pause(barren - 1, asked), signal);
  }
}

const rangeHeaders = (at: number, end: number, { etag }: Target): Headers => ({
  range: `bytes=${at}-${end - 1}`,
  ...(etag === null ? {} : { 'if-match': etag }),
});

const cut = (url: URL, at: number): SteelyardError =>
  new SteelyardError('NETWORK', `${shown(url)}: the connection was cut at byte ${at}`, {
    errno: 'ECONNRESET',
  });

/** What of the answer belongs to [at, end): all of a 206, the rest of a 200. */
async function* bytesOf(answer: Answer, target: Target, at: number, end: number): AsyncGenerator<Uint8Array> {
  let skip: number;
  try {
    skip = judged(answer, target, at, end);
  } catch (error) {
    answer.discard();
    throw error;
  }
  let left = end - at;
  const isWhole = answer.status === 200;
  for await (const piece of answer.body) {
    const bytes = piece.subarray(Math.min(skip, piece.length));
    skip -= piece.length - bytes.length;
    if (bytes.length > left) {
      // More of a whole file than was asked for is what comes next; more of a range is a lie about its length.
      if (!isWhole || end === target.size) throw tooMany(answer.url, target.size);
      if (left > 0) yield bytes.subarray(0, left);
      answer.discard();
      return;
    }
    left -= bytes.length;
    if (bytes.length > 0) yield bytes;
  }
}

const tooMany = (url: URL, size: number): SteelyardError =>
  new SteelyardError('SOURCE_CHANGED', `${shown(url)} sends more than the ${size} bytes that were listed`);

/** How many bytes of the body come before `at`. Throws what makes the answer another one than was asked for. */
function judged(
  { status, headers, url }: Answer,
  { size, etag, login }: Target,
  at: number,
  end: number,
): number {
  const changed = (how: string): SteelyardError =>
    new SteelyardError('SOURCE_CHANGED', `${shown(url)} is not the file that was listed any more: ${how}`);
  if (status !== 200 && status !== 206)
    throw status === 416 ? changed('it is shorter') : statusError(status, url, login);
  if (encoded(headers))
    throw new SteelyardError('NETWORK', `${shown(url)} sends the file in an encoding nobody asked for`, {
      errno: 'HTTP_4',
    });
  const tag = headers.etag;
  if (etag !== null && tag !== undefined && tag.replace(/^W\//, '') !== etag)
    throw changed('its ETag is another');
  const length = contentLength(headers['content-length']);
  if (status === 200) {
    if (length !== null && length !== size) throw changed(`it has ${length} bytes, not ${size}`);
    return at;
  }
  const range = contentRange(headers['content-range']);
  if (range === null || range.start !== at || range.end > end)
    throw new SteelyardError('NETWORK', `${shown(url)} answers with another range than was asked for`, {
      errno: 'HTTP_4',
    });
  if (range.total !== null && range.total !== size) throw changed(`it has ${range.total} bytes, not ${size}`);
  if (length !== null && length !== range.end - range.start)
    throw changed('its length contradicts its range');
  return 0;
}

/** Whether a server answers a range with that range. Asks for one byte. */
export async function answersRanges(http: Http, target: Target, signal?: AbortSignal): Promise<boolean> {
  if (target.size === 0) return true;
  const answer = await http.request({
    ...(await target.request(false)),
    headers: { range: 'bytes=0-0' },
    signal,
  });
  answer.discard();
  return answer.status === 206;
}
