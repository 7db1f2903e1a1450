// Who asks a registry: nobody first, then what the challenge wants. Credentials are those that `docker login` keeps. They go to the
// registry's own host; a realm of another host gets them only where the policy names it, or where it is the registry's own by name.
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { SteelyardError } from '../../rules/error.ts';
import { fetchDocument } from '../http/document.ts';
import { statusError } from '../http/failure.ts';
import type { Challenge } from '../http/header.ts';
import type { Credential, Http } from '../http/http.ts';
import { isSecure, matchesHost } from '../http/redirect.ts';
import { foreignJson, isRecord } from '../json.ts';
import type { SourceOptions } from '../store.ts';

interface Login {
  readonly username: string;
  readonly password: string;
}

export const LOGIN = 'log in with docker login, or give DOCKER_CONFIG a configuration that may read it';

/** What a challenge asks for. Throws UNAUTHORIZED, SOURCE_REDIRECT. */
export async function answerTo(
  asked: Challenge | null,
  registry: URL,
  scope: string,
  login: Login | null,
  http: Http,
  signal: AbortSignal | undefined,
): Promise<Credential> {
  const { origin } = registry;
  if (asked?.scheme === 'basic' && login !== null)
    return { origin, headers: () => ({ authorization: basic(login) }) };
  if (asked?.scheme !== 'bearer') throw statusError(401, registry, LOGIN);
  const realm = realmOf(asked, registry, http);
  const service = asked.parameters.get('service');
  if (service !== undefined) realm.searchParams.set('service', service);
  // What the challenge wants to be asked for is foreign: a token for this repository, to read, is all there is need of.
  realm.searchParams.set('scope', scope);
  const credential =
    login === null ? null : { origin: realm.origin, headers: () => ({ authorization: basic(login) }) };
  const answer = await fetchDocument(http, { url: realm, credential, follow: false, signal }, MAX_TOKEN);
  if (answer.status !== 200) throw statusError(answer.status === 403 ? 403 : 401, registry, LOGIN);
  const body = foreignJson(answer.bytes, 'the token of the registry');
  const token = isRecord(body) ? (body.token ?? body.access_token) : undefined;
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) throw statusError(401, registry, LOGIN);
  return { origin, headers: () => ({ authorization: `Bearer ${token}` }) };
}

const MAX_TOKEN = 65_536;

const basic = ({ username, password }: Login): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/** Registries whose tokens come from another host of theirs. */
const REALMS: Readonly<Record<string, string>> = {
  'registry-1.docker.io': 'auth.docker.io',
  'registry.ollama.ai': 'ollama.com',
  'registry.gitlab.com': 'gitlab.com',
};

function realmOf({ parameters }: Challenge, registry: URL, { redirects }: Http): URL {
  const text = parameters.get('realm') ?? '';
  const realm = URL.canParse(text) ? new URL(text) : null;
  const isAllowed = ({ hostname, origin }: URL): boolean =>
    origin === registry.origin ||
    REALMS[registry.hostname] === hostname ||
    (redirects !== 'public' && redirects.some((pattern) => matchesHost(pattern, hostname)));
  if (realm !== null && isSecure(realm) && realm.username === '' && isAllowed(realm)) return realm;
  throw new SteelyardError(
    'SOURCE_REDIRECT',
    `${registry.host} sends to ${realm?.host ?? 'no address'} for a token; allow that host in the policy if it is right`,
  );
}

interface DockerConfig {
  readonly auths?: unknown;
  readonly credHelpers?: unknown;
  readonly credsStore?: unknown;
}

/** As `docker login` left it for a host; null: nobody has logged in. Throws UNAUTHORIZED if a helper fails. */
export function findLogin(host: string, env: SourceOptions['env']): Login | null {
  const config = readConfig(env);
  if (config === null) return null;
  // Docker keeps its own registry under an address of 2013.
  const names =
    host === 'registry-1.docker.io'
      ? ['https://index.docker.io/v1/', 'docker.io']
      : [host, `https://${host}`];
  for (const name of names) {
    const { credHelpers, credsStore, auths } = config;
    const helper = (isRecord(credHelpers) ? credHelpers[name] : undefined) ?? credsStore;
    const entry = isRecord(auths) ? auths[name] : undefined;
    const found = typeof helper === 'string' ? fromHelper(helper, name, env) : null;
    if (found !== null) return found;
    if (isRecord(entry)) return fromEntry(entry);
  }
  return null;
}

function readConfig(env: SourceOptions['env']): DockerConfig | null {
  const path = join(env.DOCKER_CONFIG ?? join(env.HOME ?? homedir(), '.docker'), 'config.json');
  try {
    if (statSync(path).size > MAX_CONFIG) return null;
    const config: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isRecord(config) ? config : null;
  } catch {
    return null;
  }
}

const MAX_CONFIG = 2 ** 20;

function fromEntry({ auth, username, password }: Record<string, unknown>): Login | null {
  if (typeof username === 'string' && typeof password === 'string') return { username, password };
  if (typeof auth !== 'string' || auth === '') return null;
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** `docker-credential-NAME get`: a program that the user has set up, by a name that can be no path. */
function fromHelper(helper: string, host: string, env: SourceOptions['env']): Login | null {
  if (!/^[\w-]+$/.test(helper)) return null;
  let text: string;
  try {
    const options = {
      input: host,
      timeout: 30_000,
      maxBuffer: MAX_TOKEN,
      encoding: 'utf8',
      stdio: 'pipe',
    } as const;
    text = execFileSync(`docker-credential-${helper}`, ['get'], { ...options, env: { ...env } });
  } catch {
    return null; // it keeps nothing for this host, or is not there; the registry says what that means
  }
  const answer = parsed(text);
  const { Username: username, Secret: password } = isRecord(answer) ? answer : {};
  return typeof username === 'string' && typeof password === 'string' ? { username, password } : null;
}

/** Not JSON.parse alone: what it says of a text that it cannot read is a piece of that text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
