// A whole small release in memory, which promotes: model, MBOM, image, evidence of every kind, approvals, recalls. A test changes one
// thing before it is signed, or after.

import {
  APPROVAL,
  approvalPredicate,
  heartbeatPredicate,
  RECALL,
  recallPredicate,
} from '../../../src/gate/approval/approval-documents.ts';
import { digestOf } from '../../../src/gate/claim/piece.ts';
import { gate } from '../../../src/gate/gate.ts';
import type { ReleaseBytes } from '../../../src/gate/input/release-bytes.ts';
import { readGatePolicy } from '../../../src/gate/release-policy/release-policy.ts';
import type { Verdict } from '../../../src/gate/verdict/verdict.ts';
import { createMbom } from '../../../src/proof/bom/creation.ts';
import { signDocument, signModel, signStatement } from '../../../src/proof/sign/sign.ts';
import { type Anything, file, hex, type Pair, pair } from '../../kit/specimen/forgery.ts';
import { type ImageSpecimen, imageSpecimen } from './image.ts';
import { layoutFiles } from './layout.ts';

export const NOW = Date.parse('2026-12-01T00:00:00Z');
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const at = (time: number): string => new Date(time).toISOString();

export const KEYS = Object.fromEntries(
  ['ci', 'builder2', 'scanner', 'security', 'alice', 'alice2', 'bob', 'carol', 'stranger'].map((name) => [
    name,
    pair(),
  ]),
) as Record<
  'ci' | 'builder2' | 'scanner' | 'security' | 'alice' | 'alice2' | 'bob' | 'carol' | 'stranger',
  Pair
>;
export type KeyName = keyof typeof KEYS;

const CONFIGURATION = `sha256:${hex('bench.yaml')}`;
export const CURRENT = `sha256:${hex('the release before')}`;
export const SERVING = 'max_model_len: 4096\n';

/** Statement v1 by this key, as one line. */
export const attested = (key: Pair, digest: string, predicateType: string, predicate: unknown): Buffer =>
  signedPayload(key, {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'x', digest: { sha256: digest.slice(7) } }],
    predicateType,
    predicate,
  });

export const signedPayload = (key: Pair, statement: unknown): Buffer =>
  once(key, Buffer.from(JSON.stringify(statement)), signStatement);

export const signature = (key: Pair, bytes: Buffer): Buffer => once(key, bytes, signDocument);

const SIGNED = new Map<string, string>();

/** Most of a release is the same in every drill, and is signed once. Each gets bytes of its own, to change as it likes. */
function once(
  key: Pair,
  bytes: Buffer,
  sign: (bytes: Buffer, key: { privateKey: string }) => string,
): Buffer {
  const name = `${sign.name} ${key.secret} ${digestOf(bytes)}`;
  const made = SIGNED.get(name) ?? sign(bytes, { privateKey: key.secret });
  SIGNED.set(name, made);
  return Buffer.from(made);
}

/** Documents before they are signed, by name; and who signs each. */
export interface Draft {
  readonly files: ReleaseBytes['files'];
  mbomOptions: Anything;
  mbom: Buffer;
  image: ImageSpecimen;
  policy: Anything;
  /** Evidence documents: JSON, signed by bytes. */
  documents: Record<string, { by: KeyName | null; json: Anything }>;
  /** Evidence statements: predicate type, predicate, about what. */
  statements: Record<string, { by: KeyName; about: string; type: string; predicate: Anything }>;
  approvals: Record<string, { by: KeyName; change?: (it: Anything) => void }>;
  recalled: { digests: string[]; packages?: string[] }[];
  heartbeat: number;
  /** Added as they are. */
  raw: Record<string, Buffer>;
  mbomBy: KeyName;
  modelBy: KeyName;
  layoutBy: KeyName;
}

export interface World {
  release: ReleaseBytes & { evidence: { path: string; bytes: Buffer; digest: string }[] };
  policy: ReturnType<typeof readGatePolicy>;
  now: number;
  current: string | null | undefined;
  readonly image: ImageSpecimen;
}

export function policySpecimen(): Anything {
  const key = (name: KeyName) => ({ key: name });
  return {
    schema: 'steelyard/gate/1',
    name: 'acme production',
    environment: 'production',
    expires: '2027-06-30',
    identities: {
      ...Object.fromEntries(
        (['ci', 'builder2', 'scanner', 'security', 'alice', 'bob', 'carol'] as const).map((name) => [
          name,
          key(name),
        ]),
      ),
      'alice-2': key('alice2'),
    },
    people: { alice: ['alice', 'alice-2'], bob: ['bob'], carol: ['carol'] },
    release: {
      mbom: { signedBy: ['ci'] },
      model: { signedBy: ['ci'] },
      scan: { signedBy: ['ci'], maxAge: '7d', policy: `sha256:${hex('scan policy')}` },
    },
    image: { signedBy: ['ci'], repositories: ['registry.example/acme/'], platforms: ['linux/amd64'] },
    controls: [
      {
        id: 'cve',
        kind: 'vulnerabilities',
        subject: 'image',
        formats: ['trivy', 'grype', 'vulns/v0.2', 'cosign-vuln/v1'],
        signedBy: ['scanner'],
        maxAge: '7d',
        maxDatabaseAge: '5d',
        failOn: 'high',
        method: 'nvd',
        expect: ['pkg:apk/alpine/musl'],
      },
      {
        id: 'sbom',
        kind: 'sbom',
        subject: 'image',
        formats: ['cyclonedx', 'spdx'],
        signedBy: ['scanner'],
        forbid: ['pkg:pypi/torch@2.5.1'],
      },
      {
        id: 'perf',
        kind: 'performance',
        subject: 'release',
        signedBy: ['ci'],
        maxAge: '30d',
        tests: ['mmlu', 'ttft-p95'],
        maxRegression: { mmlu: 0.01 },
        configuration: CONFIGURATION,
      },
      {
        id: 'contract',
        kind: 'tests',
        subject: 'release',
        signedBy: ['ci'],
        maxAge: '30d',
        tests: ['refuses-secrets'],
        configuration: CONFIGURATION,
      },
      { id: 'conf', kind: 'layout', owner: ['security'], files: { 'serving.yaml': 'configure' } },
      {
        id: 'build',
        kind: 'build',
        subject: 'image',
        count: 2,
        sources: ['git+https://git.example/acme/server'],
        builders: [
          { id: 'https://ci.example/builder', signedBy: ['ci'] },
          { id: 'https://second.example/builder', signedBy: ['builder2'] },
        ],
      },
      {
        id: 'canary',
        kind: 'canary',
        subject: 'release',
        signedBy: ['ci'],
        maxAge: '7d',
        suite: `sha256:${hex('suite')}`,
      },
      { id: 'serving', kind: 'serving', subject: 'release', signedBy: ['ci'] },
      { id: 'source', kind: 'source', subject: 'release', signedBy: ['ci'], zone: 'production' },
    ],
    exceptions: { vex: { signedBy: ['security'], maxAge: '90d' }, waivers: [] },
    approvals: {
      need: 2,
      of: ['alice', 'bob', 'carol'],
      maxAge: '14d',
      replaces: 'required',
      producers: 'excluded',
    },
    recalls: { signedBy: ['security'], maxAge: '1d' },
  };
}

const PACKAGE = (name: string, version: string) => ({
  PkgName: name,
  InstalledVersion: version,
  PkgIdentifier: { PURL: `pkg:apk/alpine/${name}@${version}?arch=x86_64` },
});

export const vulnerability = (id: string, severity: string, name = 'musl', version = '1.2.5-r0') => ({
  VulnerabilityID: id,
  PkgID: `${name}@${version}`,
  ...PACKAGE(name, version),
  Status: 'fixed',
  Severity: severity,
});

const trivy = ({ digest, reference, platforms }: ImageSpecimen): Anything => ({
  SchemaVersion: 2,
  Trivy: { Version: '0.74.0' },
  CreatedAt: at(NOW - DAY),
  ArtifactName: reference,
  ArtifactType: 'container_image',
  Metadata: {
    OS: { Family: 'alpine', Name: '3.20' },
    ImageID: platforms[0]!.config,
    RepoDigests: [`registry.example/acme/server@${digest}`],
  },
  Results: [
    {
      Target: 'server (alpine 3.20)',
      Class: 'os-pkgs',
      Type: 'alpine',
      Packages: [
        {
          Name: 'musl',
          Version: '1.2.5-r0',
          Identifier: { PURL: 'pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64' },
        },
      ],
      Vulnerabilities: [vulnerability('CVE-2026-1', 'MEDIUM')],
    },
  ],
});

const sbom = ({ platforms }: ImageSpecimen): Anything => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  version: 1,
  metadata: {
    timestamp: at(NOW - DAY),
    component: { type: 'container', name: 'registry.example/acme/server', version: platforms[0]!.manifest },
  },
  components: [
    { type: 'library', name: 'musl', version: '1.2.5-r0', purl: 'pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64' },
    { type: 'library', name: 'vllm', version: '0.9.0', purl: 'pkg:pypi/vllm@0.9.0' },
  ],
});

const provenance = (builder: string): Anything => ({
  buildDefinition: {
    buildType: 'https://ci.example/build/v1',
    externalParameters: { source: 'git+https://git.example/acme/server@refs/heads/main' },
    resolvedDependencies: [
      {
        uri: 'git+https://git.example/acme/server@refs/heads/main',
        digest: { gitCommit: '1f8e5a1c5d7a9b3e4c6d8f0a2b4c6d8e0f1a3b5c' },
      },
    ],
  },
  runDetails: {
    builder: { id: builder },
    metadata: { invocationId: 'https://ci.example/run/1', finishedOn: at(NOW - 2 * DAY) },
  },
});

const TEST_RESULT = 'https://in-toto.io/attestation/test-result/v0.1';
const configuration = () => [{ name: 'bench.yaml', digest: { sha256: CONFIGURATION.slice(7) } }];

const statements = (): Draft['statements'] => ({
  'evidence/scan.intoto.jsonl': {
    by: 'ci',
    about: 'root',
    type: 'https://slsa.dev/verification_summary/v1',
    predicate: {
      verifier: { id: 'urn:steelyard:scan:v1', version: { steelyard: '0.1.0' } },
      timeVerified: at(NOW - DAY),
      resourceUri: 'urn:x',
      verificationResult: 'PASSED',
      verifiedLevels: [],
      policy: { uri: 'urn:x', digest: { sha256: hex('scan policy') } },
    },
  },
  'evidence/build.intoto.jsonl': {
    by: 'ci',
    about: 'image',
    type: 'https://slsa.dev/provenance/v1',
    predicate: provenance('https://ci.example/builder'),
  },
  'evidence/build-2.intoto.jsonl': {
    by: 'builder2',
    about: 'image',
    type: 'https://slsa.dev/provenance/v1',
    predicate: provenance('https://second.example/builder'),
  },
  'evidence/performance.intoto.jsonl': {
    by: 'ci',
    about: 'release',
    type: TEST_RESULT,
    predicate: {
      result: 'PASSED',
      configuration: configuration(),
      passedTests: ['mmlu', 'ttft-p95'],
      failedTests: [],
      'urn:steelyard:performance:v1': {
        timeCreated: at(NOW - DAY),
        baseline: { digest: { sha256: CURRENT.slice(7) } },
        metrics: [
          {
            name: 'mmlu',
            comparator: '>=',
            threshold: 0.61,
            value: 0.624,
            baseline: 0.626,
            sampleSize: 14042,
          },
          { name: 'ttft-p95', comparator: '<=', threshold: 300, value: 250, baseline: 251 },
        ],
      },
    },
  },
  'evidence/contract.intoto.jsonl': {
    by: 'ci',
    about: 'release',
    type: TEST_RESULT,
    predicate: {
      result: 'PASSED',
      configuration: configuration(),
      passedTests: ['refuses-secrets'],
      failedTests: [],
      'urn:steelyard:tests:v1': { timeCreated: at(NOW - DAY) },
    },
  },
  'evidence/image/signature.sigstore.json': {
    by: 'ci',
    about: 'image',
    type: 'https://sigstore.dev/cosign/sign/v1',
    predicate: {},
  },
  'evidence/receipt.intoto.jsonl': {
    by: 'ci',
    about: 'root',
    type: 'urn:steelyard:pull:v1',
    predicate: {
      schema: 'steelyard/pull/1',
      source: 'hf://acme/assistant',
      zone: 'production',
      policy: null,
      model: 'root',
    },
  },
});

const SERVING_REPORT = (): Anything => ({
  schema: 'steelyard/serving/1',
  tool: { name: 'steelyard', version: '0.1.0' },
  release: { id: 'release', model: 'root', image: null },
  verdict: { outcome: 'pass', failOn: 'high', counts: { info: 0, low: 0, medium: 0, high: 0, critical: 0 } },
  files: [
    {
      file: 'deployment.yaml',
      sha256: `sha256:${hex('deployment')}`,
      size: 10,
      format: 'kubernetes',
      workloads: [
        { object: 'Deployment/chat', line: 1, containers: [{ name: 'chat', image: null, serves: 'vllm' }] },
      ],
    },
  ],
  findings: [],
  errors: [],
});

const side = (bom: string): Anything => ({
  release: { bom, model: `sha256:${hex('model')}` },
  tie: 'engine',
  suite: `sha256:${hex('suite')}`,
  system: null,
  template: null,
  engine: null,
  target: 'http://127.0.0.1:8000',
  startedAt: at(NOW - DAY),
  answers: 40,
  complete: true,
});

const CANARY_REPORT = (): Anything => ({
  schema: 'steelyard/canary/1',
  tool: 'steelyard 0.1.0',
  createdAt: at(NOW - DAY),
  outcome: 'pass',
  failOn: 'high',
  old: side(CURRENT),
  new: side('release'),
  method: 'rank',
  threshold: 0.1,
  floor: 0.01,
  coverage: { prompts: 40, compared: 40, controls: 20, removed: 0, added: 0, topK: 20, eosEntry: true },
  refusals: { lost: 0, gained: 0, p: 1 },
  links: { lost: 0, gained: 0, p: 1 },
  findings: [],
  inconclusive: [],
  pairs: [],
});

const FILES = [
  file('config.json', '{"hidden_size":8}'),
  file('adapter_model.safetensors', 'adapter weights', 'safetensors'),
];

/** Writes and signs everything. `change`: before anything is signed; `after`: what is then done to the bytes. */
export function world(
  change: (draft: Draft) => void = () => undefined,
  after: (world: World) => void = () => undefined,
): World {
  const image = imageSpecimen();
  const draft: Draft = {
    files: [...FILES],
    mbomOptions: {
      name: 'acme-assistant',
      adapter: { name: 'adapter', digest: `sha256:${hex('adapter')}` },
      baseModel: { name: 'base', digest: `sha256:${hex('base')}` },
      config: [{ path: 'serving.yaml', sha256: `sha256:${hex(SERVING)}`, size: SERVING.length }],
    },
    mbom: Buffer.alloc(0),
    image,
    policy: policySpecimen(),
    documents: {
      'evidence/image.trivy.json': { by: 'scanner', json: trivy(image) },
      'evidence/trivy-version.json': {
        by: 'scanner',
        json: {
          Version: '0.74.0',
          VulnerabilityDB: {
            Version: 2,
            UpdatedAt: at(NOW - 2 * DAY),
            DownloadedAt: at(NOW - DAY - HOUR),
            NextUpdate: at(NOW),
          },
        },
      },
      'evidence/sbom.cdx.json': { by: 'scanner', json: sbom(image) },
      'evidence/canary.json': { by: 'ci', json: CANARY_REPORT() },
      'evidence/serving.json': { by: 'ci', json: SERVING_REPORT() },
    },
    statements: statements(),
    approvals: {
      'evidence/approvals/alice.sigstore.json': { by: 'alice' },
      'evidence/approvals/bob.sigstore.json': { by: 'bob' },
    },
    recalled: [],
    heartbeat: NOW - HOUR,
    raw: {},
    mbomBy: 'ci',
    modelBy: 'ci',
    layoutBy: 'security',
  };
  change(draft);
  return signed(draft, after);
}

function signed(draft: Draft, after: (world: World) => void): World {
  const policy = policyOf(draft.policy);
  const mbomBytes =
    draft.mbom.length > 0
      ? draft.mbom
      : Buffer.from(createMbom(draft.files, { runtimeImage: draft.image.reference, ...draft.mbomOptions }));
  const mbom = { path: 'model.mbom.yaml', bytes: mbomBytes, digest: digestOf(mbomBytes) };
  const model = signModel(
    draft.files,
    { privateKey: KEYS[draft.modelBy].secret },
    { name: 'acme-assistant' },
  );
  const abouts = new Map([
    ['root', model.rootDigest],
    ['image', draft.image.digest],
    ['release', mbom.digest],
  ]);
  const evidence = new Map<string, Buffer>(
    draft.image.files.map(([name, bytes]) => [`evidence/image/${name}`, bytes]),
  );
  for (const [path, { by, json }] of Object.entries(draft.documents)) {
    const bytes = Buffer.isBuffer(json) ? json : Buffer.from(named(json, abouts));
    evidence.set(path, bytes);
    if (by !== null) evidence.set(`${path}.sigstore.json`, signature(KEYS[by], bytes));
  }
  for (const [path, { by, about, type, predicate }] of Object.entries(draft.statements))
    evidence.set(
      path,
      attested(KEYS[by], abouts.get(about) ?? about, type, JSON.parse(named(predicate, abouts))),
    );
  for (const [path, bytes] of layoutFiles(KEYS[draft.layoutBy], KEYS.ci, { 'serving.yaml': hex(SERVING) }))
    evidence.set(path, bytes);
  evidence.set('evidence/recalls.intoto.jsonl', recallList(draft));
  for (const [path, bytes] of Object.entries(draft.raw)) evidence.set(path, bytes);
  const release: World['release'] = {
    mbom,
    mbomSignature: signature(KEYS[draft.mbomBy], mbomBytes),
    modelSignature: Buffer.from(model.bundle),
    files: draft.files,
    config: [file('serving.yaml', SERVING)],
    evidence: [],
    scan: null,
  };
  const withFiles = {
    ...release,
    evidence: [...evidence].map(([path, bytes]) => ({ path, bytes, digest: digestOf(bytes) })),
  };
  approve(withFiles, policy, draft);
  const made: World = { release: withFiles, policy, now: NOW, current: CURRENT, image: draft.image };
  after(made);
  return made;
}

/** `release`, `root` and `image` as values stand for digests that are known only now. */
const named = (json: unknown, abouts: ReadonlyMap<string, string>): string =>
  JSON.stringify(json, (key, value) =>
    ['id', 'bom', 'model'].includes(key) ? (abouts.get(value) ?? value) : value,
  );

export const policyOf = (json: unknown) =>
  readGatePolicy(Buffer.from(JSON.stringify(json)), 'release.yaml', (path) =>
    Buffer.from((KEYS as Record<string, Pair>)[path]!.public),
  );

function recallList({ recalled, heartbeat }: Draft): Buffer {
  const lines = recalled.map(({ digests, packages }) =>
    signedPayload(KEYS.security, {
      _type: 'https://in-toto.io/Statement/v1',
      subject: digests.map((digest) => ({ name: 'recalled', digest: { sha256: digest.slice(7) } })),
      predicateType: RECALL,
      predicate: recallPredicate({
        created: NOW - HOUR,
        reason: 'poisoned',
        ...(packages === undefined ? {} : { packages }),
      }),
    }),
  );
  const above = Buffer.concat(lines);
  return Buffer.concat([
    above,
    attested(KEYS.security, digestOf(above), RECALL, heartbeatPredicate(recalled.length, heartbeat)),
  ]);
}

/** What each approver saw: the evidence that counts before anybody approved. */
function approve(release: World['release'], policy: World['policy'], { approvals }: Draft): void {
  const { reviewed } = gate(release, policy, {
    now: new Date(NOW),
    current: CURRENT,
    withoutApprovals: true,
  });
  for (const [path, { by, change }] of Object.entries(approvals)) {
    const predicate: Anything = approvalPredicate({
      decision: 'approved',
      policy,
      reviewed,
      replaces: CURRENT,
      approver: by,
      created: NOW - HOUR,
      expires: NOW + 7 * DAY,
    });
    const statement = {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'model.mbom.yaml', digest: { sha256: release.mbom.digest.slice(7) } }],
      predicateType: APPROVAL,
      predicate,
    };
    change?.(statement);
    put(release, path, signedPayload(KEYS[by], statement));
  }
}

/** Adds a file of evidence, or replaces it. */
export function put(release: World['release'], path: string, bytes: Buffer): void {
  take(release, path);
  release.evidence.push({ path, bytes, digest: digestOf(bytes) });
}

export function take(release: World['release'], path: string): void {
  const index = release.evidence.findIndex((one) => one.path === path);
  if (index >= 0) release.evidence.splice(index, 1);
}

export const judge = ({ release, policy, now, current }: World): Verdict =>
  gate(release, policy, { now: new Date(now), current });

/** Every code that the verdict names, in whatever place. */
export const codesOf = ({ refusals, approvals, unused }: Verdict): string[] => [
  ...refusals.map(({ code }) => code),
  ...approvals.notCounted.map(({ code }) => code),
  ...unused.map(({ reason }) => reason.split(':', 1)[0]!),
];
