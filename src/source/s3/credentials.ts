// Whose keys sign: the environment, a container's or a cluster's endpoint, a web identity, a profile with static keys. What is
// beyond these (SSO, instance metadata, processes) is the SDK's own provider, an optional peer.
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { SteelyardError } from '../../rules/error.ts';
import { peer } from '../../runtime/peer.ts';
import { fetchOk } from '../http/document.ts';
import type { Http } from '../http/http.ts';
import { foreignJson, isRecord } from '../json.ts';
import type { SourceOptions } from '../store.ts';
import type { Keys } from './sigv4.ts';
import { readTag } from './xml.ts';

type Env = SourceOptions['env'];

export interface Granted {
  readonly keys: Keys;
  /** null: they do not run out. */
  readonly expires: Date | null;
}

/** null: nobody is named, and the bucket is asked as anybody. Throws UNAUTHORIZED, NETWORK, USAGE. */
export async function findKeys(
  env: Env,
  http: Http,
  signal: AbortSignal | undefined,
): Promise<Granted | null> {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token } = env;
  if (id && secret) return lasting(id, secret, token);
  if (env.AWS_ROLE_ARN && env.AWS_WEB_IDENTITY_TOKEN_FILE) return webIdentity(env, http, signal);
  const container = containerUrl(env);
  if (container !== null) return fromContainer(container, env, http, signal);
  const profile = fromProfile(env);
  if (profile === null) return null;
  const { aws_access_key_id: key, aws_secret_access_key: word, aws_session_token: session } = profile;
  return key && word ? lasting(key, word, session) : fromSdk();
}

const lasting = (accessKeyId: string, secretAccessKey: string, token: string | undefined): Granted => ({
  keys: { accessKeyId, secretAccessKey, ...(token ? { sessionToken: token } : {}) },
  expires: null,
});

const CONTAINER = 'http://169.254.170.2';

/** ECS gives a path on a fixed address; EKS Pod Identity and others a URL, on loopback or one of two addresses of theirs. */
function containerUrl(env: Env): URL | null {
  const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: path, AWS_CONTAINER_CREDENTIALS_FULL_URI: full } = env;
  const text = path ? `${CONTAINER}${path}` : full;
  if (!text) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  const isTheirs = url !== null && (url.protocol === 'https:' || CONTAINER_HOSTS.test(url.hostname));
  if (isTheirs) return url;
  throw new SteelyardError(
    'USAGE',
    'AWS_CONTAINER_CREDENTIALS_FULL_URI must be https:// or a loopback address',
  );
}

const CONTAINER_HOSTS = /^(?:127(?:\.\d{1,3}){3}|\[::1\]|169\.254\.170\.(?:2|23)|\[fd00:ec2::23\])$/;

async function fromContainer(url: URL, env: Env, http: Http, signal?: AbortSignal): Promise<Granted> {
  const file = env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE;
  const authorization = file ? readSmall(file).trim() : env.AWS_CONTAINER_AUTHORIZATION_TOKEN;
  const credential = authorization ? { origin: url.origin, headers: () => ({ authorization }) } : null;
  const { bytes } = await fetchOk(
    http,
    { url, credential, signal, follow: false, metadata: true },
    LOGIN,
    MAX_ANSWER,
  );
  const answer = foreignJson(bytes, 'the answer of the container credentials endpoint');
  if (!isRecord(answer)) throw odd('container credentials endpoint');
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = answer;
  return granted('container credentials endpoint', AccessKeyId, SecretAccessKey, Token, Expiration);
}

const MAX_ANSWER = 65_536;
const LOGIN = 'look at the credentials of this container';

/** IAM roles for service accounts: a token of the cluster for keys of AWS. */
async function webIdentity(env: Env, http: Http, signal?: AbortSignal): Promise<Granted> {
  const region = env.AWS_REGION ?? env.AWS_DEFAULT_REGION;
  const url = new URL(
    env.AWS_ENDPOINT_URL_STS ||
      (region ? `https://sts.${region}.amazonaws.com/` : 'https://sts.amazonaws.com/'),
  );
  const body = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: env.AWS_ROLE_ARN!,
    RoleSessionName: env.AWS_ROLE_SESSION_NAME || 'steelyard',
    WebIdentityToken: readSmall(env.AWS_WEB_IDENTITY_TOKEN_FILE!).trim(),
  }).toString();
  // The token goes in the body, to this address and to none that it redirects to.
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const { bytes } = await fetchOk(
    http,
    { url, method: 'POST', headers, body, signal, follow: false },
    LOGIN,
    MAX_ANSWER,
  );
  const text = bytes.toString('utf8');
  const [id, secret, token, until] = ['AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration'].map(
    (tag) => readTag(text, tag),
  );
  return granted('token service', id, secret, token, until);
}

function granted(who: string, id: unknown, secret: unknown, token: unknown, until: unknown): Granted {
  if (typeof id !== 'string' || typeof secret !== 'string' || typeof token !== 'string') throw odd(who);
  const expires = typeof until === 'string' && Number.isFinite(Date.parse(until)) ? new Date(until) : null;
  return { keys: { accessKeyId: id, secretAccessKey: secret, sessionToken: token }, expires };
}

const odd = (who: string): SteelyardError => new SteelyardError('UNAUTHORIZED', `the ${who} gave no keys`);

/** Of AWS_PROFILE, from the shared files; null: there is none. */
function fromProfile(env: Env): Readonly<Record<string, string>> | null {
  const home = join(env.HOME ?? homedir(), '.aws');
  const name = env.AWS_PROFILE || 'default';
  const sections = [
    [env.AWS_SHARED_CREDENTIALS_FILE ?? join(home, 'credentials'), name],
    [env.AWS_CONFIG_FILE ?? join(home, 'config'), name === 'default' ? name : `profile ${name}`],
  ] as const;
  const found = sections.map(([path, section]) => readSection(path, section));
  if (found.every((one) => one === null)) {
    if (!env.AWS_PROFILE) return null;
    throw new SteelyardError(
      'UNAUTHORIZED',
      `there is no profile ${JSON.stringify(name)} in the files of AWS`,
    );
  }
  return { ...found[1], ...found[0] };
}

/** One section of an INI file. */
function readSection(path: string, section: string): Record<string, string> | null {
  let text: string;
  try {
    text = readSmall(path);
  } catch {
    return null;
  }
  let found: Record<string, string> | null = null;
  let isOurs = false;
  for (const line of text.split(/\r?\n/)) {
    const [, heading] = /^\s*\[\s*([^\]]*?)\s*\]/.exec(line) ?? [];
    if (heading !== undefined) isOurs = heading === section;
    const [, key, value] = /^([\w-]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (!isOurs) continue;
    found ??= {};
    if (key !== undefined && value !== undefined) found[key] = value;
  }
  return found;
}

function readSmall(path: string): string {
  if (statSync(path).size > MAX_FILE)
    throw new SteelyardError('LIMIT', `${path} is no file of credentials: too large`);
  return readFileSync(path, 'utf8');
}
const MAX_FILE = 2 ** 20;

interface Sdk {
  defaultProvider(): () => Promise<Keys & { readonly expiration?: Date }>;
}

async function fromSdk(): Promise<Granted> {
  const { defaultProvider } = await peer<Sdk>('@aws-sdk/credential-provider-node', 'this AWS profile');
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = await defaultProvider()().catch(() => {
    throw odd("SDK's provider");
  });
  return { ...lasting(accessKeyId, secretAccessKey, sessionToken), expires: expiration ?? null };
}
