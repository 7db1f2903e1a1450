// Where a problem is, as other tools want it: paths from the root of the repository, as text and as URIs.
import { inert } from '../../document/text/inert.ts';
import type { NeutralReport } from '../neutral/neutral.ts';

export interface FormatOptions {
  /** Where the files lie, from the root of the repository, `/` between its parts: `models/llama`. */
  readonly base?: string | undefined;
  /** The time that is written where a format must have one. */
  readonly now?: Date | undefined;
}

/** A path below `base` as a relative URI: nothing of a name can be a scheme, a query, or a way out of the folder (RFC 3986, 4.2). */
export function uriOf(file: string, base: string | undefined): string {
  const parts = [...(base ?? '').split('/'), ...file.split('/')].filter(
    (part) => part !== '' && part !== '.',
  );
  return parts
    .map((part) => (part === '..' ? '%2E%2E' : encodeURIComponent(Buffer.from(part).toString('utf8'))))
    .join('/');
}

/** The same for formats that take a path as it is. */
export const pathOf = (file: string, base: string | undefined): string =>
  inert(
    [...(base ?? '').split('/'), ...file.split('/')].filter((part) => part !== '' && part !== '.').join('/'),
    1000,
  );

/** Where a format needs a file and the problem is about none. */
export const fileOf = ({ file }: { readonly file: string }, { files }: NeutralReport): string =>
  file === '' ? (files[0]?.path ?? '.') : file;
