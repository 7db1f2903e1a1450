// A real API server on loopback with its store, for those who have built one: docs/drift.md says how. No kubelet and no controllers.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { freePort, started, until } from '../release.ts';
import { type Api, type Exchange, PODS, ROLE } from './exchanges.ts';

/** Tokens by user. */
const USERS = { admin: 'system:masters', drift: '', nobody: '' };

export async function realApi(t: Test, program: string): Promise<Api> {
  const folder = mkdtempSync(join(tmpdir(), 'steelyard-kube-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string): string => join(folder, name);
  const [etcd, peers, port] = [await freePort(), await freePort(), await freePort()];
  execFileSync('openssl', ['genrsa', '-out', at('sa.key'), '2048'], { stdio: 'ignore' });
  execFileSync('openssl', ['rsa', '-in', at('sa.key'), '-pubout', '-out', at('sa.pub')], { stdio: 'ignore' });
  const tokens = Object.entries(USERS).map(([name, group], id) => `${name}-token,${name},${id},"${group}"\n`);
  writeFileSync(at('tokens.csv'), tokens.join(''));
  const local = (number: number): string => `http://127.0.0.1:${number}`;
  started(t, 'etcd', [
    `--data-dir=${at('etcd')}`,
    `--listen-client-urls=${local(etcd)}`,
    `--advertise-client-urls=${local(etcd)}`,
    `--listen-peer-urls=${local(peers)}`,
    `--initial-advertise-peer-urls=${local(peers)}`,
    `--initial-cluster=default=${local(peers)}`,
  ]);
  const server = started(t, program, [
    `--etcd-servers=${local(etcd)}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    `--cert-dir=${at('certs')}`,
    `--token-auth-file=${at('tokens.csv')}`,
    `--service-account-key-file=${at('sa.pub')}`,
    `--service-account-signing-key-file=${at('sa.key')}`,
    '--service-account-issuer=https://steelyard.test',
    '--authorization-mode=RBAC',
    '--disable-admission-plugins=ServiceAccount',
    '--service-cluster-ip-range=10.0.0.0/24',
  ]);
  const asks = (exchange: Exchange['request']): Promise<Exchange['answer']> => overTls(port, exchange);
  const ready = await until(
    () =>
      asks({ user: 'admin', method: 'GET', path: '/readyz' }).catch(() => ({
        status: 0,
        type: '',
        body: '',
      })),
    ({ status }) => status === 200,
  );
  if (ready.status !== 200) throw new Error(server.said().slice(-2000));
  await arrange(asks);
  return {
    asks,
    url: `https://127.0.0.1:${port}`,
    ca: readFileSync(at('certs/apiserver.crt'), 'utf8'),
    expire: async () => {
      const range = { method: 'POST', body: JSON.stringify({ key: 'YQ==' }) };
      const { header } = (await (await fetch(`${local(etcd)}/v3/kv/range`, range)).json()) as {
        header: { revision: string };
      };
      const body = JSON.stringify({ revision: header.revision, physical: true });
      await fetch(`${local(etcd)}/v3/kv/compaction`, { method: 'POST', body });
    },
  };
}

const RBAC = '/apis/rbac.authorization.k8s.io/v1/namespaces/serving';

async function arrange(asks: Api['asks']): Promise<void> {
  const put = async (
    path: string,
    value: object,
    method = 'POST',
    type = 'application/json',
  ): Promise<void> => {
    const { status, body } = await asks({ user: 'admin', method, path, type, body: JSON.stringify(value) });
    if (status >= 300) throw new Error(`${path}: ${status} ${body}`);
  };
  await put('/api/v1/namespaces', { metadata: { name: 'serving' } });
  await put(`${RBAC}/roles`, ROLE);
  await put(`${RBAC}/rolebindings`, {
    metadata: { name: 'steelyard-drift' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'steelyard-drift' },
    subjects: [{ kind: 'User', name: 'drift', apiGroup: 'rbac.authorization.k8s.io' }],
  });
  for (const { status, ...pod } of PODS) {
    await put('/api/v1/namespaces/serving/pods', pod);
    const path = `/api/v1/namespaces/serving/pods/${pod.metadata.name}/status`;
    await put(path, { status }, 'PATCH', 'application/strategic-merge-patch+json');
  }
}

function overTls(
  port: number,
  { user, method, path, type, body }: Exchange['request'],
): Promise<Exchange['answer']> {
  return new Promise((resolve, reject) => {
    const headers = {
      accept: 'application/json',
      ...(user === null ? {} : { authorization: `Bearer ${user}-token` }),
      ...(type === undefined ? {} : { 'content-type': type }),
    };
    const call = request(
      { host: '127.0.0.1', port, method, path, headers, rejectUnauthorized: false, agent: false },
      (answer) => {
        let text = '';
        answer
          .setEncoding('utf8')
          .on('data', (more: string) => {
            text += more;
          })
          .on('end', () =>
            resolve({ status: answer.statusCode!, type: answer.headers['content-type'] ?? '', body: text }),
          );
      },
    );
    call.on('error', reject).end(body);
  });
}
