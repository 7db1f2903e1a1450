// What the Hub's API says of a repo: foreign JSON, of which only these fields are believed, and only in these forms.
import { SteelyardError } from '../../rules/error.ts';
import { fetchOk } from '../http/document.ts';
import { nextLink } from '../http/header.ts';
import type { Credential, Http } from '../http/http.ts';
import { destination } from '../http/redirect.ts';
import { foreignJson, isRecord } from '../json.ts';
import { MAX_FILES } from '../path.ts';
import type { Expected, SourceFile } from '../store.ts';

export interface Hub {
  readonly http: Http;
  readonly endpoint: URL;
  readonly credential: Credential | null;
  readonly signal: AbortSignal | undefined;
  readonly login: string;
}

/** The commit that a revision means now. A commit that was asked for and is answered by another one is refused. */
export function commitOf(bytes: Uint8Array, revision: string): string {
  const answer = foreignJson(bytes, "the Hub's answer about the revision");
  const sha = isRecord(answer) ? answer.sha : undefined;
  if (typeof sha !== 'string' || !/^[0-9a-f]{40}$/.test(sha)) throw odd('names no commit');
  if (/^[0-9a-f]{40}$/.test(revision) && sha !== revision)
    throw new SteelyardError('SOURCE_CHANGED', `the Hub answers for commit ${revision} with ${sha}`);
  return sha;
}

/** Every file of a commit. */
export async function fetchTree(hub: Hub, repo: string, commit: string): Promise<SourceFile[]> {
  const { http, endpoint, credential, signal, login } = hub;
  const base = `${endpoint.origin}${endpoint.pathname.replace(/\/$/, '')}`;
  const files: SourceFile[] = [];
  let url: URL | null = new URL(`${base}/api/models/${repo}/tree/${commit}?recursive=true`);
  for (let pages = 0; url !== null; pages++) {
    if (files.length > MAX_FILES || pages > MAX_FILES / 100)
      throw new SteelyardError('LIMIT', `${repo} lists more than ${MAX_FILES} files; name a folder of it`);
    const page: Awaited<ReturnType<typeof fetchOk>> = await fetchOk(http, { url, credential, signal }, login);
    files.push(...entriesOf(page.bytes));
    const next = nextLink(page.headers.link);
    // The official JavaScript client sends its token to wherever `next` leads. This one is not followed off the endpoint at all.
    url = next === null ? null : destination(next, page.url, [], 'the next page');
  }
  return files;
}

function entriesOf(bytes: Uint8Array): SourceFile[] {
  const entries = foreignJson(bytes, 'the tree of the repo');
  if (!Array.isArray(entries)) throw odd('is no list of files');
  return entries.flatMap((entry) => {
    if (!isRecord(entry) || typeof entry.path !== 'string') throw odd('has an entry without a path');
    if (entry.type === 'directory') return [];
    if (entry.type !== 'file') throw odd('has an entry that is neither file nor folder');
    const { oid, lfs } = entry;
    const size = isRecord(lfs) ? lfs.size : entry.size;
    if (typeof size !== 'number') throw odd('has a file without a size');
    return [{ path: entry.path, size, pin: null, expected: isRecord(lfs) ? sha256(lfs.oid) : gitSha1(oid) }];
  });
}

const sha256 = (oid: unknown): Expected => {
  if (typeof oid !== 'string' || !/^[0-9a-f]{64}$/.test(oid)) throw odd('has an LFS file without a SHA-256');
  return { algorithm: 'sha256', value: oid };
};

const gitSha1 = (oid: unknown): Expected | null =>
  typeof oid === 'string' && /^[0-9a-f]{40}$/.test(oid) ? { algorithm: 'git-sha1', value: oid } : null;

const odd = (how: string): SteelyardError =>
  new SteelyardError('NETWORK', `the Hub's answer ${how}: that is no server of the Hub's API`, {
    errno: 'HTTP_4',
  });
