// What went wrong on the way, in our words: never with a query, a header or a token in it.
import { SteelyardError } from '../../rules/error.ts';
import { shown } from './redirect.ts';

/** Of an exception of the network. Our own come back as they are, also those that the HTTP library wraps. */
export function networkError(error: unknown, url: URL, signal?: AbortSignal): SteelyardError {
  if (signal?.aborted) return new SteelyardError('ABORTED', 'the transfer was aborted');
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if (cause instanceof SteelyardError) return cause;
    const inner = cause instanceof AggregateError ? cause.errors[0] : undefined;
    if (inner instanceof SteelyardError) return inner;
  }
  const code = codeOf(error);
  return new SteelyardError('NETWORK', `${shown(url)}: ${WORDS[code] ?? 'the connection failed'} (${code})`, {
    errno: code,
  });
}

function codeOf(error: unknown): string {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    const { code } = cause as NodeJS.ErrnoException;
    if (typeof code === 'string') return code;
  }
  return 'unknown';
}

const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the host is not known',
  EAI_AGAIN: 'the name service does not answer',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  UND_ERR_CONNECT_TIMEOUT: 'nobody answers',
  UND_ERR_HEADERS_TIMEOUT: 'no answer came',
  UND_ERR_BODY_TIMEOUT: 'no more bytes came',
  UND_ERR_HEADERS_OVERFLOW: 'the headers of the answer are too long',
};

/** A second try may find another answer. Broken certificates, refused redirects and missing files are what they are. */
export const isPassing = (error: unknown): boolean =>
  error instanceof SteelyardError && error.code === 'NETWORK' && !LASTING.test(error.errno ?? '');

const LASTING =
  /^(?:ENOTFOUND|CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|UND_ERR_HEADERS_OVERFLOW|HTTP_4)/;

/** What a status says that is not the one hoped for. */
export function statusError(status: number, url: URL, login: string): SteelyardError {
  const place = shown(url);
  if (status === 401) return new SteelyardError('UNAUTHORIZED', `${place} asks who you are (401); ${login}`);
  if (status === 403)
    return new SteelyardError(
      'UNAUTHORIZED',
      `${place} does not let you in (403); ask for access, or ${login}`,
    );
  if (status === 404 || status === 410)
    return new SteelyardError('NOT_FOUND', `${place} is not there (${status})`);
  if (status === 412)
    return new SteelyardError(
      'SOURCE_CHANGED',
      `${place} is not the version that was listed any more (412); list it again`,
    );
  const errno = `HTTP_${status}`;
  return new SteelyardError('NETWORK', `${place} answers ${status}`, { errno });
}

export const isPassingStatus = (status: number): boolean =>
  status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
