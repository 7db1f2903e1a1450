// The generic rules against another linter, over generated pods: where the two differ, the difference stands here with its reason.
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DIGEST, lintText } from './kit.ts';

t.setTimeout(600_000);

const CHECKOV = process.env.STEELYARD_CHECKOV ?? 'checkov';
const missing = spawnSync(CHECKOV, ['--version']).status !== 0;

/** One answer for each field, by its place in the list; the first leaves the field out. */
const FIELDS = {
  image: ['a/b:1', 'a/b', 'a/b:latest', `a/b@${DIGEST}`, `a/b:latest@${DIGEST}`],
  podUser: ['', 'runAsNonRoot: true', 'runAsUser: 1000', 'runAsUser: 0', 'runAsNonRoot: false'],
  user: ['', 'runAsNonRoot: true', 'runAsUser: 1000', 'runAsUser: 0', 'runAsNonRoot: false'],
  capabilities: [
    '',
    '{drop: [ALL]}',
    '{drop: [NET_RAW]}',
    '{drop: [ALL], add: [SYS_ADMIN]}',
    '{drop: [all]}',
    '{add: [NET_BIND_SERVICE], drop: [ALL]}',
  ],
  escalation: ['', 'true', 'false'],
  privileged: ['', 'true', 'false'],
  rootfs: ['', 'true', 'false'],
  seccomp: ['', 'RuntimeDefault', 'Localhost', 'Unconfined'],
  token: ['', 'true', 'false'],
  memory: ['', '1Gi'],
  host: ['', 'hostPID', 'hostIPC', 'hostNetwork'],
  hostPort: ['', '80'],
  hostPath: ['', '/var/run/docker.sock', '/srv'],
  policy: ['', '[Egress]', '[Ingress]'],
} as const;
type Spec = { readonly [K in keyof typeof FIELDS]: string };

/** The same pods on every run. */
function specs(count: number): Spec[] {
  let state = 7;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  return Array.from(
    { length: count },
    () =>
      Object.fromEntries(
        Object.entries(FIELDS).map(([name, values]) => [name, values[next(values.length)]!]),
      ) as unknown as Spec,
  );
}

const when = (value: string, text: string): string => (value === '' ? '' : text);

function manifest(spec: Spec, i: number): string {
  const own = [
    spec.user,
    when(spec.capabilities, `capabilities: ${spec.capabilities}`),
    when(spec.escalation, `allowPrivilegeEscalation: ${spec.escalation}`),
    when(spec.privileged, `privileged: ${spec.privileged}`),
    when(spec.rootfs, `readOnlyRootFilesystem: ${spec.rootfs}`),
  ].filter((part) => part !== '');
  const pod = [spec.podUser, when(spec.seccomp, `seccompProfile: {type: ${spec.seccomp}}`)].filter(
    (part) => part !== '',
  );
  return `apiVersion: v1
kind: Pod
metadata: {name: p${i}, namespace: n${i}, labels: {app: p${i}}}
spec:
  securityContext: {${pod.join(', ')}}
  ${when(spec.token, `automountServiceAccountToken: ${spec.token}`)}
  ${when(spec.host, `${spec.host}: true`)}
  volumes: [{name: v, ${spec.hostPath === '' ? 'emptyDir: {}' : `hostPath: {path: ${spec.hostPath}}`}}]
  containers:
    - name: c
      image: ${spec.image}
      ports: [{containerPort: 80${when(spec.hostPort, ', hostPort: 80')}}]
      securityContext: {${own.join(', ')}}
      resources: {limits: {cpu: 1${when(spec.memory, `, memory: ${spec.memory}`)}}}
---
${when(spec.policy, `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: q${i}, namespace: n${i}}\nspec: {podSelector: {matchLabels: {app: p${i}}}, policyTypes: ${spec.policy}}\n---\n`)}`;
}

/** Our rule, and the checks that ask the same; where one of them fails, checkov says no. */
const SAME: Readonly<Record<string, readonly string[]>> = {
  'image/unpinned': ['CKV_K8S_43'],
  'image/latest': ['CKV_K8S_14'],
  'user/root': ['CKV_K8S_23'],
  'caps/not-dropped': ['CKV_K8S_25', 'CKV_K8S_37'],
  'escalation/allowed': ['CKV_K8S_20'],
  'privileged/container': ['CKV_K8S_16'],
  'rootfs/writable': ['CKV_K8S_22'],
  'seccomp/unset': ['CKV_K8S_31'],
  'token/mounted': ['CKV_K8S_38'],
  'resources/unlimited': ['CKV_K8S_13'],
  'host/pid': ['CKV_K8S_17'],
  'host/ipc': ['CKV_K8S_18'],
  'host/network': ['CKV_K8S_19'],
  'host/port': ['CKV_K8S_26'],
  'host/socket': ['CKV_K8S_27'],
  'egress/none': ['CKV2_K8S_6'],
};

interface Difference {
  readonly rule: string;
  /** Who fires. */
  readonly only: 'steelyard' | 'checkov';
  readonly where: (spec: Spec) => boolean;
  readonly because: string;
}

const DIFFERENCES: readonly Difference[] = [
  {
    rule: 'caps/not-dropped',
    only: 'checkov',
    where: ({ capabilities }) => capabilities === '{add: [NET_BIND_SERVICE], drop: [ALL]}',
    because:
      'the Pod Security Standards allow NET_BIND_SERVICE where ALL is dropped; CKV_K8S_25 refuses any addition',
  },
  {
    rule: 'egress/none',
    only: 'steelyard',
    where: ({ policy }) => policy === '[Ingress]',
    because: 'a policy of ingress restricts no egress; CKV2_K8S_6 asks only for a policy',
  },
  {
    rule: 'seccomp/unset',
    only: 'checkov',
    where: ({ seccomp }) => seccomp === 'Localhost',
    because: 'the Pod Security Standards allow a profile of the node; CKV_K8S_31 knows RuntimeDefault only',
  },
  {
    rule: 'user/root',
    only: 'steelyard',
    where: ({ podUser, user }) =>
      [podUser, user].includes('runAsNonRoot: true') && [podUser, user].includes('runAsUser: 0'),
    because: 'a manifest that says uid 0 and not root contradicts itself; CKV_K8S_23 reads the second half',
  },
];

/** The failed checks of each pod. */
function checkov(folder: string, text: string): Map<string, Set<string>> {
  const path = join(folder, 'pods.yaml');
  writeFileSync(path, text);
  const args = [
    '-f',
    path,
    '--framework',
    'kubernetes',
    '-o',
    'json',
    '--compact',
    '--skip-download',
    '--soft-fail',
  ];
  const out = execFileSync(CHECKOV, args, {
    maxBuffer: 2 ** 28,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const failed = new Map<string, Set<string>>();
  for (const { check_id: id, resource } of JSON.parse(out).results.failed_checks as Record<
    string,
    string
  >[]) {
    const pod = resource!.split('.').at(-1)!;
    failed.set(pod, (failed.get(pod) ?? new Set()).add(id!));
  }
  return failed;
}

t.test(
  'the generic rules agree with checkov over 300 pods',
  {
    skip: missing && 'NOT JUDGED: checkov is not here; pip install checkov==3.3.30 and set STEELYARD_CHECKOV',
  },
  async (t) => {
    const all = specs(300);
    const text = all.map(manifest).join('');
    const failed = checkov(t.testdir({}), text);
    t.ok(failed.size > 250, 'checkov looked at the pods');
    const { findings } = await lintText(text);
    const ours = new Set(findings.map(({ object, rule }) => `${object} ${rule}`));
    const used = new Set<Difference>();
    const unargued: string[] = [];
    all.forEach((spec, i) => {
      for (const [rule, checks] of Object.entries(SAME)) {
        const we = ours.has(`Pod/p${i} ${rule}`);
        const they = checks.some((check) => failed.get(`p${i}`)?.has(check));
        if (we === they) continue;
        const argued = DIFFERENCES.find(
          (one) => one.rule === rule && one.only === (we ? 'steelyard' : 'checkov') && one.where(spec),
        );
        if (argued === undefined)
          unargued.push(`${rule}, only ${we ? 'steelyard' : 'checkov'}: ${JSON.stringify(spec)}`);
        else used.add(argued);
      }
    });
    t.strictSame(unargued.slice(0, 10), []);
    for (const one of DIFFERENCES) t.ok(used.has(one), `met: ${one.rule}, only ${one.only}: ${one.because}`);
  },
);
