// Who asks: the service account of the pod that this runs in, or a kubeconfig, whose plugins an optional package runs.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SteelyardError } from '../../../rules/error.ts';
import { peer } from '../../../runtime/peer.ts';
import type { Cluster } from './api.ts';

const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/** @throws SteelyardError USAGE: not in a cluster. */
export async function serviceAccount(
  {
    KUBERNETES_SERVICE_HOST: host,
    KUBERNETES_SERVICE_PORT: port,
  }: Readonly<Record<string, string | undefined>>,
  folder: string = FOLDER,
): Promise<Cluster> {
  if (host === undefined || port === undefined) {
    throw new SteelyardError(
      'USAGE',
      'not in a cluster: there is no KUBERNETES_SERVICE_HOST; give --kubeconfig',
    );
  }
  const read = async (name: string): Promise<string> => {
    try {
      return await readFile(join(folder, name), 'utf8');
    } catch (cause) {
      const message = `cannot read ${join(folder, name)}; mount the service account's token`;
      throw new SteelyardError('USAGE', message, { cause });
    }
  };
  return {
    url: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    tls: { ca: await read('ca.crt') },
    headers: async () => ({ authorization: `Bearer ${(await read('token')).trim()}` }),
  };
}

/** What is used of @kubernetes/client-node 1.4. */
interface Peer {
  readonly KubeConfig: new () => {
    loadFromFile(path: string): void;
    setCurrentContext(name: string): void;
    getCurrentCluster(): { readonly server: string; readonly skipTLSVerify?: boolean } | null;
    applyToHTTPSOptions(options: Applied): Promise<void>;
  };
}
interface Applied {
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  servername?: string;
  auth?: string;
  headers?: Record<string, string>;
}

/** @throws SteelyardError USAGE: the package is missing, or the file has no cluster to ask. */
export async function kubeconfig(path: string): Promise<Cluster> {
  const { KubeConfig } = await peer<Peer>('@kubernetes/client-node', '--kubeconfig');
  const config = new KubeConfig();
  try {
    config.loadFromFile(path);
  } catch (cause) {
    throw new SteelyardError('USAGE', `cannot read the kubeconfig ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new SteelyardError('USAGE', `${path} has no current cluster`);
  if (cluster.skipTLSVerify && !cluster.server.startsWith('http:')) {
    throw new SteelyardError(
      'USAGE',
      `${path} does not verify the API server; anybody could answer in its place`,
    );
  }
  const applied = async (): Promise<Applied> => {
    const options: Applied = {};
    await config.applyToHTTPSOptions(options).catch((cause: Error) => {
      throw new SteelyardError('USAGE', `cannot use the kubeconfig ${path}: ${cause.message}`, { cause });
    });
    return options;
  };
  const { ca, cert, key, servername } = await applied();
  const tls = Object.fromEntries(
    Object.entries({ ca, cert, key, servername }).filter(([, value]) => value !== undefined),
  );
  return {
    url: cluster.server.replace(/\/+$/, ''),
    tls,
    headers: async () => basic(await applied()), // plugins renew their tokens
  };
}

const basic = ({ auth, headers = {} }: Applied): Record<string, string> => ({
  ...headers,
  ...(auth === undefined ? {} : { authorization: `Basic ${Buffer.from(auth).toString('base64')}` }),
});
