// A small answer, whole: a listing, a manifest, a token. Bounded before it is read, tried again while that can help.
import { SteelyardError } from '../../rules/error.ts';
import { isPassing, isPassingStatus, statusError } from './failure.ts';
import { contentLength, retryAfter } from './header.ts';
import type { Answer, Headers, Http, Request } from './http.ts';
import { shown } from './redirect.ts';
import { TRIES, wait } from './retry.ts';

/** A page of the Hub's tree has 1,000 entries and some 300 kB. */
const DOCUMENT_MAX = 16 * 2 ** 20;

export interface Document {
  readonly status: number;
  readonly headers: Headers;
  readonly url: URL;
  readonly bytes: Buffer;
}

/** An answer of a status that no retry will change. Throws what Http.request throws, and LIMIT. */
export async function fetchDocument(http: Http, request: Request, most = DOCUMENT_MAX): Promise<Document> {
  for (let attempt = 0; ; attempt++) {
    const last = attempt === TRIES - 1;
    let asked: number | null = null;
    try {
      const answer = await http.request(request);
      if (!isPassingStatus(answer.status) || last) {
        const { status, headers, url } = answer;
        return {
          status,
          headers,
          url,
          bytes: request.method === 'HEAD' ? none(answer) : await whole(answer, most),
        };
      }
      answer.discard();
      asked = retryAfter(answer.headers, Date.now());
    } catch (error) {
      if (last || !isPassing(error)) throw error;
    }
    await wait(http.pause(attempt, asked), request.signal);
  }
}

/** The same, where only 200 will do. `login`: what to do about 401 and 403. */
export async function fetchOk(http: Http, request: Request, login: string, most?: number): Promise<Document> {
  const document = await fetchDocument(http, request, most);
  if (document.status !== 200) throw statusError(document.status, document.url, login);
  return document;
}

function none(answer: Answer): Buffer {
  answer.discard();
  return Buffer.alloc(0);
}

async function whole({ headers, body, url, discard }: Answer, most: number): Promise<Buffer> {
  const tooLong = (): SteelyardError => {
    discard();
    return new SteelyardError('LIMIT', `${shown(url)} answers with more than ${most} bytes`);
  };
  if (encoded(headers))
    throw new SteelyardError('NETWORK', `${shown(url)} answers with an encoding nobody asked for`);
  if ((contentLength(headers['content-length']) ?? 0) > most) throw tooLong();
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    if (size > most) throw tooLong();
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** A body that is not the file's own bytes. */
export const encoded = ({ 'content-encoding': encoding }: Headers): boolean =>
  encoding !== undefined && encoding !== '' && encoding.toLowerCase() !== 'identity';
