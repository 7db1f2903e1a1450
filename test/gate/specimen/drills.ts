// biome-ignore-all lint/suspicious/noAssignInExpressions: a row of the table is one change of one thing
// Every control taken away, one at a time, from a release that promotes: what is done to it, and the code that must block it.
import { signModel } from '../../../src/proof/sign/sign.ts';
import { type Anything, file, hex } from '../../kit/specimen/forgery.ts';
import { imageSpecimen } from './image.ts';
import { layoutFiles } from './layout.ts';
import {
  at,
  attested,
  CURRENT,
  DAY,
  type Draft,
  HOUR,
  KEYS,
  NOW,
  put,
  SERVING,
  signature,
  signedPayload,
  take,
  vulnerability,
  type World,
} from './release.ts';

export interface Drill {
  readonly row: string;
  readonly code: string;
  readonly change?: (draft: Draft) => void;
  readonly after?: (world: World) => void;
}

export const TRIVY = 'evidence/image.trivy.json';
const SBOM = 'evidence/sbom.cdx.json';
const PERFORMANCE = 'evidence/performance.intoto.jsonl';
const SCAN = 'evidence/scan.intoto.jsonl';
export const SIGNATURE = 'evidence/image/signature.sigstore.json';
const ALICE = 'evidence/approvals/alice.sigstore.json';
const BOB = 'evidence/approvals/bob.sigstore.json';
export const OTHER = imageSpecimen('other');
const report = (change: (it: Anything) => void) => (draft: Draft) => change(draft.documents[TRIVY]!.json);
const bom = (change: (it: Anything) => void) => (draft: Draft) => change(draft.documents[SBOM]!.json);
const stated = (path: string, change: (it: Anything) => void) => (draft: Draft) =>
  change(draft.statements[path]!.predicate);
const policed = (change: (it: Anything) => void) => (draft: Draft) => change(draft.policy);
export const removed = (path: string) => (draft: Draft) => {
  delete draft.documents[path];
  delete draft.statements[path];
};
const signedBy = (path: string, by: Anything) => (draft: Draft) => {
  (draft.documents[path] ?? draft.statements[path])!.by = by;
};
const approving = (path: string, change: (it: Anything) => void) => (draft: Draft) => {
  draft.approvals[path] = { by: 'alice', change };
};
const statement = (digests: string[], predicateType: string, predicate: unknown, version = 'v1') => ({
  _type: `https://in-toto.io/Statement/${version}`,
  subject: digests.map((one) => ({ name: 'x', digest: { sha256: one.slice(7) } })),
  predicateType,
  predicate,
});

/** grype's report of the amd64 image. */
const grype = ({ image }: Pick<Draft, 'image'>): Anything => ({
  matches: [],
  ignoredMatches: [],
  source: {
    type: 'image',
    target: {
      userInput: image.reference,
      imageID: image.platforms[0]!.config,
      manifestDigest: image.platforms[0]!.manifest,
      repoDigests: [`registry.example/acme/server@${image.platforms[0]!.manifest}`],
      architecture: 'amd64',
      os: 'linux',
    },
  },
  distro: { name: 'alpine', version: '3.20' },
  descriptor: {
    name: 'grype',
    version: '0.111.0',
    timestamp: at(NOW - DAY),
    configuration: { 'only-fixed': false, 'only-notfixed': false, 'ignore-wontfix': '', exclude: [] },
    db: { status: { built: at(NOW - 2 * DAY), valid: true } },
  },
});
export const withGrype = (change: (it: Anything) => void) => (draft: Draft) => {
  delete draft.documents[TRIVY];
  const json = grype(draft);
  change(json);
  draft.documents['evidence/image.grype.json'] = { by: 'scanner', json };
};
export const critical = report((it) =>
  it.Results[0].Vulnerabilities.push(vulnerability('CVE-2026-9', 'CRITICAL')),
);
export const vex =
  (by: Anything, change: (it: Anything) => void = () => undefined) =>
  (draft: Draft) => {
    critical(draft);
    const json = {
      '@context': 'https://openvex.dev/ns/v0.2.0',
      '@id': 'https://acme.example/vex/1',
      author: 'security',
      timestamp: at(NOW - DAY),
      version: 1,
      statements: [
        {
          vulnerability: { name: 'CVE-2026-9' },
          products: [{ '@id': `pkg:oci/server@${encodeURIComponent(draft.image.digest)}` }],
          status: 'not_affected',
          justification: 'vulnerable_code_not_in_execute_path',
        },
      ],
    };
    change(json);
    draft.documents['evidence/vex.json'] = { by, json };
  };
const predicate = (name: string, type: string, body: (draft: Draft) => Anything) => (draft: Draft) => {
  delete draft.documents[TRIVY];
  draft.statements[`evidence/${name}.intoto.jsonl`] = {
    by: 'scanner',
    about: 'image',
    type,
    predicate: body(draft),
  };
};
export const VULNS = 'https://in-toto.io/attestation/vulns/v0.2';
const COSIGN_VULN = 'https://cosign.sigstore.dev/attestation/vuln/v1';
const cosignVuln = (result: unknown, finished = at(NOW - DAY)): Anything => ({
  invocation: { parameters: null, uri: '', event_id: '', 'builder.id': '' },
  scanner: {
    uri: 'pkg:github/aquasecurity/trivy@0.74.0',
    version: '0.74.0',
    db: { uri: '', version: '' },
    result,
  },
  metadata: { scanStartedOn: finished, scanFinishedOn: finished },
});
const reshaped =
  (change: (parts: { owner: typeof KEYS.ci; link: [string, Buffer][] }) => [string, Buffer][]) =>
  (draft: Draft) => {
    const files = change({
      owner: KEYS.security,
      link: layoutFiles(KEYS.security, KEYS.ci, { 'serving.yaml': hex(SERVING) }),
    });
    for (const [path, bytes] of files) draft.raw[path] = bytes;
  };
const relayout = (change: (layout: Anything) => void, owner = KEYS.security) =>
  reshaped(({ link }) => {
    const [path, bytes] = link[0]!;
    const layout = JSON.parse(Buffer.from(JSON.parse(bytes.toString()).payload, 'base64').toString());
    change(layout);
    return [[path, resigned(layout, owner)]];
  });
const relink = (change: (link: Anything) => void) =>
  reshaped(({ link }) => {
    const [path, bytes] = link[1]!;
    const body = JSON.parse(Buffer.from(JSON.parse(bytes.toString()).payload, 'base64').toString());
    change(body);
    return [[path, resigned(body, KEYS.ci)]];
  });
function resigned(body: unknown, key: typeof KEYS.ci): Buffer {
  const [[, original]] = layoutFiles(key, key, {}) as [[string, Buffer]];
  const { signatures } = JSON.parse(original.toString());
  const { dsseEnvelope } = JSON.parse(signedPayload(key, body).toString());
  return Buffer.from(
    JSON.stringify({
      ...dsseEnvelope,
      signatures: [{ ...dsseEnvelope.signatures[0], keyid: signatures[0].keyid }],
    }),
  );
}

const canary = (change: (it: Anything) => void) => (draft: Draft) =>
  change(draft.documents['evidence/canary.json']!.json);
const lint = (change: (it: Anything) => void) => (draft: Draft) =>
  change(draft.documents['evidence/serving.json']!.json);

export const DRILLS: readonly Drill[] = [
  {
    row: '1 MBOM without signature',
    code: 'UNSIGNED',
    after: (w) => Object.assign(w.release, { mbomSignature: null }),
  },
  { row: '2 MBOM by an unlisted key', code: 'WRONG_KEY', change: (d) => void (d.mbomBy = 'stranger') },
  {
    row: '3 one byte of the MBOM',
    code: 'BAD_SIGNATURE',
    after: ({ release }) => void (release.mbom.bytes[40] = release.mbom.bytes[40]! ^ 1),
  },
  {
    row: '4 runtime image by tag',
    code: 'MALFORMED_MBOM',
    after: ({ release }) => {
      const bytes = Buffer.from(release.mbom.bytes.toString().replace(/@sha256:[0-9a-f]{64}/, ':latest'));
      Object.assign(release, { mbom: { ...release.mbom, bytes }, mbomSignature: signature(KEYS.ci, bytes) });
    },
  },
  {
    row: '5 adapter replaced',
    code: 'DIGEST_MISMATCH',
    after: ({ release }) =>
      Object.assign(release, {
        files: [release.files[0]!, file('adapter_model.safetensors', 'other weights!!', 'safetensors')],
      }),
  },
  {
    row: '6 adapter added',
    code: 'EXTRA_FILE',
    after: ({ release }) =>
      Object.assign(release, { files: [...release.files, file('evil.safetensors', 'x', 'safetensors')] }),
  },
  {
    row: '7 model.sig deleted',
    code: 'UNSIGNED',
    after: ({ release }) => Object.assign(release, { modelSignature: null }),
  },
  { row: '7 model.sig by a stranger', code: 'WRONG_KEY', change: (d) => void (d.modelBy = 'stranger') },
  {
    row: '10 scan FAILED',
    code: 'FAILED_SCAN',
    change: stated(SCAN, (it) => void (it.verificationResult = 'FAILED')),
  },
  {
    row: '11 scan of the previous model',
    code: 'ROOT_MISMATCH',
    change: (d) => void (d.statements[SCAN]!.about = `sha256:${hex('previous')}`),
  },
  {
    row: '12 scan under another policy',
    code: 'EVIDENCE_FOR_OTHER',
    change: stated(SCAN, (it) => void (it.policy.digest.sha256 = hex('lax'))),
  },
  {
    row: '13 scan 8 days old',
    code: 'EVIDENCE_STALE',
    change: stated(SCAN, (it) => void (it.timeVerified = at(NOW - 8 * DAY))),
  },
  {
    row: '14 SBOM attestation in place of the vulnerability report',
    code: 'NO_EVIDENCE',
    change: (d) => {
      const { json } = d.documents[SBOM]!;
      removed(TRIVY)(d);
      d.statements['evidence/vuln.intoto.jsonl'] = {
        by: 'scanner',
        about: 'image',
        type: 'https://cyclonedx.org/bom',
        predicate: json,
      };
    },
  },
  {
    row: '15 predicate of another shape',
    code: 'MALFORMED_EVIDENCE',
    change: predicate('v', VULNS, () => ({ scanner: [] })),
  },
  { row: '16 trivy report deleted', code: 'NO_EVIDENCE', change: removed(TRIVY) },
  { row: '17 trivy report unsigned', code: 'EVIDENCE_UNTRUSTED', change: signedBy(TRIVY, null) },
  { row: '17 trivy report by alice', code: 'EVIDENCE_UNTRUSTED', change: signedBy(TRIVY, 'alice') },
  { row: '17 trivy report by a stranger', code: 'EVIDENCE_UNTRUSTED', change: signedBy(TRIVY, 'stranger') },
  {
    row: '18 report of another image',
    code: 'EVIDENCE_FOR_OTHER',
    change: report((it) => void (it.Metadata.RepoDigests = [`registry.example/acme/server@${OTHER.digest}`])),
  },
  {
    row: '19 report of a tarball, no manifest here',
    code: 'EVIDENCE_UNBOUND',
    change: report((it) => delete it.Metadata.RepoDigests),
    after: ({ release }) => {
      for (const name of ['index', 'manifest-amd64', 'manifest-arm64'])
        take(release, `evidence/image/${name}.json`);
    },
  },
  {
    row: '20 the same with another image’s manifest',
    code: 'EVIDENCE_FOR_OTHER',
    change: (d) => {
      report((it) => {
        delete it.Metadata.RepoDigests;
        it.Metadata.ImageID = OTHER.platforms[0]!.config;
      })(d);
      for (const [name, bytes] of OTHER.files) d.raw[`evidence/other/${name}`] = bytes;
    },
    after: ({ release }) => {
      for (const name of ['index', 'manifest-amd64', 'manifest-arm64'])
        take(release, `evidence/image/${name}.json`);
    },
  },
  {
    row: '21 report of arm64, amd64 promoted',
    code: 'MISSING_PLATFORM',
    change: (d) => report((it) => void (it.Metadata.ImageID = d.image.platforms[1]!.config))(d),
  },
  {
    row: '22 report 8 days old',
    code: 'EVIDENCE_STALE',
    change: report(
      (it) =>
        void Object.assign(it, {
          CreatedAt: at(NOW - 8 * DAY),
          Trivy: { Server: { VulnerabilityDB: { UpdatedAt: at(NOW - 9 * DAY) } } },
        }),
    ),
  },
  {
    row: '22 report dated tomorrow',
    code: 'EVIDENCE_FROM_FUTURE',
    change: report((it) => void (it.CreatedAt = at(NOW + DAY))),
  },
  {
    row: '22 report of year 1',
    code: 'EVIDENCE_UNDATED',
    change: report((it) => void (it.CreatedAt = '0001-01-01T00:00:00Z')),
  },
  {
    row: '23 grype database 6 days older than the scan',
    code: 'EVIDENCE_STALE',
    change: withGrype((it) => void (it.descriptor.db.status.built = at(NOW - 7 * DAY - HOUR))),
  },
  {
    row: '23 grype database not valid',
    code: 'EVIDENCE_EMPTY',
    change: withGrype((it) => void (it.descriptor.db.status.valid = false)),
  },
  {
    row: '24 trivy without a database date',
    code: 'EVIDENCE_UNDATED',
    change: removed('evidence/trivy-version.json'),
  },
  { row: '25 no Results', code: 'EVIDENCE_EMPTY', change: report((it) => delete it.Results) },
  {
    row: '25 matches of an sbom-file',
    code: 'EVIDENCE_UNBOUND',
    change: withGrype((it) => void (it.source = { type: 'sbom-file', target: 'sbom.json' })),
  },
  {
    row: '25 result: null',
    code: 'EVIDENCE_EMPTY',
    change: (d) => {
      removed(TRIVY)(d);
      d.statements['evidence/v.intoto.jsonl'] = {
        by: 'scanner',
        about: d.image.platforms[0]!.manifest,
        type: COSIGN_VULN,
        predicate: cosignVuln(null),
      };
    },
  },
  { row: '26 one CRITICAL', code: 'VULNERABLE', change: critical },
  {
    row: '27 the finding among the modified ones',
    code: 'VULNERABLE',
    change: report((it) => {
      const Finding = vulnerability('CVE-2026-9', 'CRITICAL');
      it.Results[0].ExperimentalModifiedFindings = [
        { Type: 'vulnerability', Status: 'ignored', Statement: 'fine', Source: '.trivyignore', Finding },
      ];
    }),
  },
  {
    row: '27 the finding among ignoredMatches',
    code: 'VULNERABLE',
    change: withGrype((it) =>
      it.ignoredMatches.push({
        vulnerability: { id: 'CVE-2026-9', severity: 'Critical', fix: { versions: [], state: 'unknown' } },
        artifact: { name: 'musl', version: '1.2.5-r0', purl: 'pkg:apk/alpine/musl@1.2.5-r0' },
        appliedIgnoreRules: [{ reason: 'fine' }],
      }),
    ),
  },
  { row: '28 VEX unsigned', code: 'VULNERABLE', change: vex(null) },
  { row: '28 VEX by the scanner', code: 'VULNERABLE', change: vex('scanner') },
  {
    row: '28 VEX for a product without digest',
    code: 'VULNERABLE',
    change: vex('security', (it) => void (it.statements[0].products = [{ '@id': 'pkg:oci/server' }])),
  },
  {
    row: '28 VEX too old',
    code: 'VULNERABLE',
    change: vex('security', (it) => void (it.timestamp = at(NOW - 91 * DAY))),
  },
  {
    row: '28 VEX for another image',
    code: 'VULNERABLE',
    change: vex(
      'security',
      (it) => void (it.statements[0].products = [{ '@id': `pkg:oci/server@${OTHER.digest}` }]),
    ),
  },
  {
    row: '28 VEX under investigation',
    code: 'VULNERABLE',
    change: vex('security', (it) => void (it.statements[0].status = 'under_investigation')),
  },
  {
    row: '29 waiver expired yesterday',
    code: 'VULNERABLE',
    change: (d) => {
      critical(d);
      d.policy.exceptions.waivers = [
        { id: 'CVE-2026-9', reason: 'unused', owner: 'security', expires: '2026-11-29' },
      ];
    },
  },
  {
    row: '30 grype with only-fixed',
    code: 'EVIDENCE_CONTRADICTORY',
    change: withGrype((it) => void (it.descriptor.configuration['only-fixed'] = true)),
  },
  {
    row: '30 grype with exclude',
    code: 'EVIDENCE_CONTRADICTORY',
    change: withGrype((it) => void (it.descriptor.configuration.exclude = ['/opt/**'])),
  },
  {
    row: '31 the newer report clean, the older not',
    code: 'VULNERABLE',
    change: (d) => {
      const json = structuredClone(d.documents[TRIVY]!.json);
      json.CreatedAt = at(NOW - 2 * DAY);
      json.Trivy.Server = { VulnerabilityDB: { UpdatedAt: at(NOW - 3 * DAY) } };
      json.Results[0].Vulnerabilities.push(vulnerability('CVE-2026-9', 'CRITICAL'));
      d.documents['evidence/older.trivy.json'] = { by: 'scanner', json };
    },
  },
  {
    row: '32 SBOM of another image',
    code: 'EVIDENCE_FOR_OTHER',
    change: bom((it) => void (it.metadata.component.version = OTHER.digest)),
  },
  {
    row: '32 SBOM without components',
    code: 'EVIDENCE_EMPTY',
    change: bom((it) => void (it.components = [])),
  },
  {
    row: '32 SBOM whose digests differ',
    code: 'EVIDENCE_CONTRADICTORY',
    change: bom((it) => void (it.metadata.component.hashes = [{ alg: 'SHA-256', content: hex('other') }])),
  },
  { row: '32 SBOM missing', code: 'NO_EVIDENCE', change: removed(SBOM) },
  {
    row: '33 forbidden package',
    code: 'FORBIDDEN_PACKAGE',
    change: bom((it) => it.components.push({ type: 'library', name: 'torch', purl: 'pkg:pypi/Torch@2.5.1' })),
  },
  { row: '34 image signature deleted', code: 'UNSIGNED', change: removed(SIGNATURE) },
  { row: '35 image signature by a stranger', code: 'WRONG_KEY', change: signedBy(SIGNATURE, 'stranger') },
  {
    row: '35 image signature of another image',
    code: 'EVIDENCE_FOR_OTHER',
    change: (d) => void (d.statements[SIGNATURE]!.about = OTHER.digest),
  },
  { row: '35 image signature by alice', code: 'EVIDENCE_UNTRUSTED', change: signedBy(SIGNATURE, 'alice') },
  {
    row: '36 old payload of another digest',
    code: 'EVIDENCE_FOR_OTHER',
    change: (d) => {
      removed(SIGNATURE)(d);
      const critical = {
        identity: { 'docker-reference': 'x' },
        image: { 'docker-manifest-digest': OTHER.digest },
        type: 'cosign container image signature',
      };
      const payload = Buffer.from(JSON.stringify({ critical, optional: null }));
      const { messageSignature } = JSON.parse(signature(KEYS.ci, payload).toString());
      d.raw['evidence/image/old.sig.json'] = Buffer.from(
        JSON.stringify({ Base64Signature: messageSignature.signature, Payload: payload.toString('base64') }),
      );
    },
  },
  {
    row: '37 image from another registry',
    code: 'UNTRUSTED_REGISTRY',
    change: (d) =>
      void (d.mbomOptions.runtimeImage = d.image.reference.replace(
        'registry.example/acme/',
        'registry.example/acme-evil/',
      )),
  },
  {
    row: '38 PASSED, its numbers fail',
    code: 'EVIDENCE_CONTRADICTORY',
    change: stated(PERFORMANCE, (it) => void (it['urn:steelyard:performance:v1'].metrics[0].value = 0.5)),
  },
  {
    row: '38 a test is missing',
    code: 'NO_EVIDENCE',
    change: stated(PERFORMANCE, (it) => void (it.passedTests = ['mmlu'])),
  },
  {
    row: '38 baseline of another release',
    code: 'EVIDENCE_FOR_OTHER',
    change: stated(
      PERFORMANCE,
      (it) => void (it['urn:steelyard:performance:v1'].baseline.digest.sha256 = hex('other')),
    ),
  },
  {
    row: '38 regression over the limit',
    code: 'REGRESSED',
    change: stated(PERFORMANCE, (it) => void (it['urn:steelyard:performance:v1'].metrics[0].baseline = 0.64)),
  },
  {
    row: '38 performance of another release',
    code: 'EVIDENCE_FOR_OTHER',
    change: (d) => void (d.statements[PERFORMANCE]!.about = CURRENT),
  },
  {
    row: '38 performance unsigned by whom it must',
    code: 'EVIDENCE_UNTRUSTED',
    change: signedBy(PERFORMANCE, 'scanner'),
  },
  {
    row: '39 layout expired',
    code: 'LAYOUT_EXPIRED',
    change: relayout((it) => void (it.expires = '2026-11-30T00:00:00Z')),
  },
  { row: '39 layout by another owner', code: 'WRONG_KEY', change: (d) => void (d.layoutBy = 'alice') },
  {
    row: '39 layout without steps',
    code: 'MALFORMED_LAYOUT',
    change: relayout((it) => void (it.steps = [])),
  },
  {
    row: '39 layout without the last DISALLOW',
    code: 'UNBOUNDED_LAYOUT',
    change: relayout((it) => it.steps[0].expected_products.pop()),
  },
  {
    row: '39 layout with an inspection',
    code: 'UNSUPPORTED_LAYOUT',
    change: relayout((it) =>
      it.inspect.push({
        _type: 'inspection',
        name: 'x',
        run: ['true'],
        expected_materials: [],
        expected_products: [],
      }),
    ),
  },
  {
    row: '39 layout missing',
    code: 'NO_EVIDENCE',
    after: ({ release }) => take(release, 'evidence/layout/root.layout'),
  },
  {
    row: '40 serving.yaml changed after the link',
    code: 'STEP_MISMATCH',
    change: relink((it) => void (it.products['serving.yaml'].sha256 = hex('before'))),
  },
  {
    row: '40 link of another step, renamed',
    code: 'STEP_MISMATCH',
    change: relink((it) => void (it.name = 'fetch')),
  },
  {
    row: '40 threshold 2, one person',
    code: 'BELOW_THRESHOLD',
    change: relayout((it) => void (it.steps[0].threshold = 2)),
  },
  { row: '41 one approval of two', code: 'NOT_APPROVED', change: (d) => void delete d.approvals[BOB] },
  {
    row: '42 alice twice, two keys',
    code: 'NOT_APPROVED',
    change: (d) => void (d.approvals[BOB] = { by: 'alice2' }),
  },
  {
    row: '42 alice twice, two files',
    code: 'NOT_APPROVED',
    change: (d) => void (d.approvals[BOB] = { by: 'alice' }),
  },
  {
    row: '43 approval by the producer',
    code: 'SELF_APPROVED',
    change: (d) => {
      d.policy.people.carol = ['carol', 'ci'];
      d.approvals[BOB] = { by: 'ci' };
    },
  },
  {
    row: '43 approval by another key of the producer',
    code: 'SELF_APPROVED',
    change: (d) => {
      d.policy.people.carol = ['carol', 'ci'];
      d.approvals[BOB] = { by: 'carol' };
    },
  },
  {
    row: '44 approval of the previous release',
    code: 'APPROVAL_FOR_OTHER',
    change: approving(ALICE, (it) => void (it.subject[0].digest.sha256 = CURRENT.slice(7))),
  },
  {
    row: '44 approval with a second subject',
    code: 'MALFORMED_EVIDENCE',
    change: approving(ALICE, (it) => it.subject.push({ name: 'image', digest: { sha256: hex('i') } })),
  },
  {
    row: '45 approval under another policy',
    code: 'APPROVAL_UNDER_OTHER_POLICY',
    change: approving(ALICE, (it) => void (it.predicate.policy.digest.sha256 = hex('lax'))),
  },
  {
    row: '46 evidence replaced after approval',
    code: 'APPROVAL_INCOMPLETE',
    after: ({ release }) => {
      const json = JSON.parse(release.evidence.find(({ path }) => path === TRIVY)!.bytes.toString());
      json.CreatedAt = at(NOW - HOUR);
      const bytes = Buffer.from(JSON.stringify(json));
      put(release, TRIVY, bytes);
      put(release, `${TRIVY}.sigstore.json`, signature(KEYS.scanner, bytes));
    },
  },
  {
    row: '47 approval expired',
    code: 'APPROVAL_EXPIRED',
    change: approving(
      ALICE,
      (it) => void Object.assign(it.predicate, { timeCreated: at(NOW - 3 * DAY), expires: at(NOW - DAY) }),
    ),
  },
  {
    row: '47 approval older than the policy allows',
    code: 'APPROVAL_EXPIRED',
    change: approving(
      ALICE,
      (it) => void Object.assign(it.predicate, { timeCreated: at(NOW - 15 * DAY), expires: at(NOW + DAY) }),
    ),
  },
  {
    row: '47 approval dated tomorrow',
    code: 'EVIDENCE_FROM_FUTURE',
    change: approving(
      ALICE,
      (it) => void Object.assign(it.predicate, { timeCreated: at(NOW + DAY), expires: at(NOW + 2 * DAY) }),
    ),
  },
  {
    row: '47 approval for 400 days',
    code: 'MALFORMED_EVIDENCE',
    change: approving(ALICE, (it) => void (it.predicate.expires = at(NOW + 400 * DAY))),
  },
  {
    row: '48 staging approval in production',
    code: 'APPROVAL_FOR_OTHER',
    change: approving(ALICE, (it) => void (it.predicate.environment = 'staging')),
  },
  {
    row: '49 rejected beside enough approvals',
    code: 'APPROVAL_REJECTED',
    change: (d) =>
      void (d.approvals['evidence/approvals/carol.sigstore.json'] = {
        by: 'carol',
        change: (it) => void (it.predicate.decision = 'rejected'),
      }),
  },
  {
    row: '50 another release runs now',
    code: 'WRONG_REPLACEMENT',
    after: (w) => void (w.current = `sha256:${hex('rolled back')}`),
  },
  {
    row: '51 a test result by alice in place of her approval',
    code: 'NOT_APPROVED',
    after: ({ release }) =>
      put(
        release,
        ALICE,
        attested(KEYS.alice, release.mbom.digest, 'https://in-toto.io/attestation/test-result/v0.1', {
          result: 'PASSED',
          configuration: [],
        }),
      ),
  },
  {
    row: '51 an approval by alice in an old statement',
    code: 'NOT_APPROVED',
    after: ({ release }) =>
      put(
        release,
        ALICE,
        signedPayload(KEYS.alice, statement([release.mbom.digest], 'urn:steelyard:approval:v1', {}, 'v0.1')),
      ),
  },
  {
    row: '52 base model recalled',
    code: 'RECALLED',
    change: (d) => d.recalled.push({ digests: [d.mbomOptions.baseModel.digest] }),
  },
  {
    row: '52 image recalled',
    code: 'RECALLED',
    change: (d) => d.recalled.push({ digests: [d.image.digest] }),
  },
  {
    row: '52 layer recalled',
    code: 'RECALLED',
    change: (d) => d.recalled.push({ digests: [d.image.platforms[0]!.layer] }),
  },
  {
    row: '52 file recalled',
    code: 'RECALLED',
    change: (d) => d.recalled.push({ digests: [d.files[1]!.sha256] }),
  },
  {
    row: '52 tensor recalled',
    code: 'RECALLED',
    change: (d) => d.recalled.push({ digests: [`sha256:${hex('tensor')}`] }),
    after: ({ release }) =>
      Object.assign(release, {
        tensors: [{ name: 'w', dtype: 'F32', shape: [1], sha256: `sha256:${hex('tensor')}` }],
      }),
  },
  {
    row: '52 package recalled',
    code: 'RECALLED',
    change: (d) => d.recalled.push({ digests: [`sha256:${hex('nothing')}`], packages: ['pkg:pypi/vllm'] }),
  },
  {
    row: '52 list deleted',
    code: 'RECALLS_STALE',
    after: ({ release }) => take(release, 'evidence/recalls.intoto.jsonl'),
  },
  { row: '52 list 2 days old', code: 'RECALLS_STALE', change: (d) => void (d.heartbeat = NOW - 2 * DAY) },
  {
    row: '52 last line cut',
    code: 'RECALLS_STALE',
    change: (d) => d.recalled.push({ digests: [`sha256:${hex('nothing')}`] }),
    after: ({ release }) => {
      const list = release.evidence.find(({ path }) => path.endsWith('recalls.intoto.jsonl'))!;
      put(release, list.path, list.bytes.subarray(0, list.bytes.indexOf(0x0a) + 1));
    },
  },
  {
    row: '52 first line cut',
    code: 'RECALLS_STALE',
    change: (d) => d.recalled.push({ digests: [d.image.digest] }),
    after: ({ release }) => {
      const list = release.evidence.find(({ path }) => path.endsWith('recalls.intoto.jsonl'))!;
      put(release, list.path, list.bytes.subarray(list.bytes.indexOf(0x0a) + 1));
    },
  },
  {
    row: '53 policy expired',
    code: 'POLICY_EXPIRED',
    change: policed((it) => void (it.expires = '2026-11-30')),
  },
  ...[
    ['a key twice', '{"SchemaVersion":2,"SchemaVersion":2}'],
    ['byte order mark', '\ufeff{}'],
    ['lone surrogate', '{"SchemaVersion":2,"x":"\\ud800"}'],
    ['10,000 deep', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    ['__proto__', '{"SchemaVersion":2,"__proto__":{"Results":[]}}'],
  ].map(([what, text]) => ({
    row: `54 ${what}`,
    // What is no JSON has no kind: it decides nothing, and the control has no evidence.
    code: what === '__proto__' ? 'EVIDENCE_UNBOUND' : 'NO_EVIDENCE',
    change: (d: Draft) => void (d.documents[TRIVY]!.json = Buffer.from(text!)),
  })),
  {
    row: '54 a key twice in an attestation',
    code: 'NO_EVIDENCE',
    change: removed(TRIVY),
    after: ({ release, image }) =>
      put(
        release,
        'evidence/v.intoto.jsonl',
        twice(statement([image.digest], VULNS, { scanner: { uri: 'x' } })),
      ),
  },
  {
    row: '59 no signature, attestations of every type by the same key',
    code: 'UNSIGNED',
    change: (d) => {
      removed(SIGNATURE)(d);
      for (const [index, type] of [
        VULNS,
        COSIGN_VULN,
        'https://slsa.dev/provenance/v1',
        'https://cyclonedx.org/bom',
        'https://acme.example/custom',
      ].entries())
        d.statements[`evidence/image/${index}.sigstore.json`] = {
          by: 'ci',
          about: 'image',
          type,
          predicate: {},
        };
    },
  },
  {
    row: 'cosign vuln around another image',
    code: 'EVIDENCE_CONTRADICTORY',
    change: (d) => {
      const json = structuredClone(d.documents[TRIVY]!.json);
      json.Metadata.ImageID = OTHER.platforms[0]!.config;
      removed(TRIVY)(d);
      d.statements['evidence/v.intoto.jsonl'] = {
        by: 'scanner',
        about: 'image',
        type: COSIGN_VULN,
        predicate: cosignVuln(json),
      };
    },
  },
  {
    row: 'vulns by another method',
    code: 'EVIDENCE_UNSUPPORTED',
    change: (d) => {
      removed(TRIVY)(d);
      const predicate = {
        scanner: {
          uri: 'x',
          db: { lastUpdate: at(NOW - 2 * DAY) },
          result: [{ id: 'CVE-1', severity: [{ method: 'own', score: '1' }] }],
        },
        metadata: { scanStartedOn: at(NOW - DAY), scanFinishedOn: at(NOW - DAY) },
      };
      d.statements['evidence/v.intoto.jsonl'] = {
        by: 'scanner',
        about: d.image.platforms[0]!.manifest,
        type: VULNS,
        predicate,
      };
    },
  },
  {
    row: 'distribution without fixes',
    code: 'VULNERABLE',
    change: report((it) => void (it.Metadata.OS.EOSL = true)),
  },
  {
    row: 'severity unknown',
    code: 'VULNERABLE',
    change: report((it) => it.Results[0].Vulnerabilities.push(vulnerability('CVE-2026-8', 'UNKNOWN'))),
  },
  {
    row: 'expected package not shown',
    code: 'EVIDENCE_EMPTY',
    change: policed((it) => void (it.controls[0].expect = ['pkg:deb/debian/tensorrt'])),
  },
  {
    row: 'stricter for one package',
    code: 'VULNERABLE',
    change: policed(
      (it) => void (it.controls[0].packages = [{ package: 'pkg:apk/alpine/musl', failOn: 'medium' }]),
    ),
  },
  { row: 'tests missing', code: 'NO_EVIDENCE', change: removed('evidence/contract.intoto.jsonl') },
  {
    row: 'tests failed',
    code: 'TEST_FAILED',
    change: stated(
      'evidence/contract.intoto.jsonl',
      (it) => void Object.assign(it, { result: 'FAILED', passedTests: [], failedTests: ['refuses-secrets'] }),
    ),
  },
  {
    row: 'tests warned',
    code: 'TEST_FAILED',
    change: stated('evidence/contract.intoto.jsonl', (it) => void (it.result = 'WARNED')),
  },
  {
    row: 'tests for another release',
    code: 'EVIDENCE_FOR_OTHER',
    change: (d) => void (d.statements['evidence/contract.intoto.jsonl']!.about = CURRENT),
  },
  {
    row: 'tests stale',
    code: 'EVIDENCE_STALE',
    change: stated(
      'evidence/contract.intoto.jsonl',
      (it) => void (it['urn:steelyard:tests:v1'].timeCreated = at(NOW - 31 * DAY)),
    ),
  },
  {
    row: 'tests undated',
    code: 'EVIDENCE_UNDATED',
    change: stated('evidence/contract.intoto.jsonl', (it) => delete it['urn:steelyard:tests:v1']),
  },
  {
    row: 'tests by a stranger',
    code: 'EVIDENCE_UNTRUSTED',
    change: signedBy('evidence/contract.intoto.jsonl', 'stranger'),
  },
  {
    row: 'tests of another configuration',
    code: 'EVIDENCE_FOR_OTHER',
    change: stated(
      'evidence/contract.intoto.jsonl',
      (it) => void (it.configuration[0].digest.sha256 = hex('easy')),
    ),
  },
  { row: 'canary missing', code: 'NO_EVIDENCE', change: removed('evidence/canary.json') },
  { row: 'canary failed', code: 'CANARY_FAILED', change: canary((it) => (it.outcome = 'fail')) },
  { row: 'canary inconclusive', code: 'CANARY_FAILED', change: canary((it) => (it.outcome = 'error')) },
  {
    row: 'canary of another release',
    code: 'EVIDENCE_FOR_OTHER',
    change: canary((it) => (it.new.release.bom = `sha256:${hex('other')}`)),
  },
  {
    row: 'canary against another release',
    code: 'EVIDENCE_FOR_OTHER',
    change: canary((it) => (it.old.release.bom = `sha256:${hex('other')}`)),
  },
  { row: 'canary against none', code: 'NO_EVIDENCE', change: canary((it) => (it.old = null)) },
  {
    row: 'canary of other prompts',
    code: 'EVIDENCE_FOR_OTHER',
    change: canary((it) => (it.new.suite = `sha256:${hex('easy')}`)),
  },
  {
    row: 'canary of a target that nothing ties to the release',
    code: 'EVIDENCE_UNBOUND',
    change: canary((it) => (it.new.tie = 'none')),
  },
  { row: 'canary stale', code: 'EVIDENCE_STALE', change: canary((it) => (it.createdAt = at(NOW - 8 * DAY))) },
  {
    row: 'canary with a waiver that expired',
    code: 'EVIDENCE_STALE',
    change: canary((it) =>
      it.findings.push({
        rule: 'canary/x',
        severity: 'high',
        prompt: null,
        message: 'm',
        waived: { reason: 'r', owner: 'o', expires: '2026-11-29' },
      }),
    ),
  },
  { row: 'canary unsigned', code: 'EVIDENCE_UNTRUSTED', change: signedBy('evidence/canary.json', null) },
  { row: 'lint missing', code: 'NO_EVIDENCE', change: removed('evidence/serving.json') },
  { row: 'lint failed', code: 'SERVING_UNSAFE', change: lint((it) => (it.verdict.outcome = 'fail')) },
  {
    row: 'lint without a verdict',
    code: 'SERVING_UNSAFE',
    change: lint((it) => (it.verdict.outcome = 'error')),
  },
  {
    row: 'lint of another release',
    code: 'EVIDENCE_FOR_OTHER',
    change: lint((it) => (it.release.id = `sha256:${hex('other')}`)),
  },
  { row: 'lint of no release', code: 'EVIDENCE_UNBOUND', change: lint((it) => (it.release = null)) },
  { row: 'lint of nothing', code: 'EVIDENCE_EMPTY', change: lint((it) => (it.files = [])) },
  { row: 'lint of another shape', code: 'MALFORMED_EVIDENCE', change: lint((it) => (it.more = 1)) },
  {
    row: 'lint with a waiver that expired',
    code: 'EVIDENCE_STALE',
    change: lint((it) =>
      it.findings.push({
        rule: 'serving/x',
        severity: 'high',
        file: 'f',
        line: 1,
        column: 1,
        message: 'm',
        subject: `sha256:${hex('s')}`,
        waived: { reason: 'r', owner: 'o', expires: '2026-11-29' },
      }),
    ),
  },
  { row: 'lint unsigned', code: 'EVIDENCE_UNTRUSTED', change: signedBy('evidence/serving.json', null) },
  { row: 'receipt missing', code: 'UNTRUSTED_SOURCE', change: removed('evidence/receipt.intoto.jsonl') },
  {
    row: 'receipt by a stranger',
    code: 'UNTRUSTED_SOURCE',
    change: signedBy('evidence/receipt.intoto.jsonl', 'stranger'),
  },
  {
    row: 'receipt of another zone',
    code: 'UNTRUSTED_SOURCE',
    change: stated('evidence/receipt.intoto.jsonl', (it) => (it.zone = 'experiment')),
  },
  {
    row: 'receipt of another model',
    code: 'EVIDENCE_FOR_OTHER',
    change: (d) => (d.statements['evidence/receipt.intoto.jsonl']!.about = CURRENT),
  },
  {
    row: 'receipt that contradicts itself',
    code: 'EVIDENCE_CONTRADICTORY',
    change: stated('evidence/receipt.intoto.jsonl', (it) => (it.model = CURRENT)),
  },
  { row: 'one builder of two', code: 'NO_EVIDENCE', change: removed('evidence/build-2.intoto.jsonl') },
  {
    row: 'one builder twice',
    code: 'WRONG_BUILDER',
    change: stated(
      'evidence/build-2.intoto.jsonl',
      (it) => void (it.runDetails.builder.id = 'https://ci.example/builder'),
    ),
  },
  {
    row: 'build of another source',
    code: 'WRONG_BUILDER',
    change: stated('evidence/build-2.intoto.jsonl', (it) => {
      it.buildDefinition.externalParameters.source = 'git+https://git.example/mallory/server';
      it.buildDefinition.resolvedDependencies = [];
    }),
  },
  {
    row: 'build of another image',
    code: 'EVIDENCE_FOR_OTHER',
    change: (d) => void (d.statements['evidence/build.intoto.jsonl']!.about = OTHER.digest),
  },
  {
    row: 'build by a stranger',
    code: 'EVIDENCE_UNTRUSTED',
    change: signedBy('evidence/build.intoto.jsonl', 'stranger'),
  },
  {
    row: 'configuration file changed',
    code: 'DIGEST_MISMATCH',
    after: ({ release }) => Object.assign(release, { config: [file('serving.yaml', 'x')] }),
  },
  {
    row: 'configuration file missing',
    code: 'MISSING_FILE',
    after: ({ release }) => Object.assign(release, { config: [] }),
  },
  {
    row: 'model signature of another model',
    code: 'DIGEST_MISMATCH',
    after: ({ release }) =>
      Object.assign(release, {
        modelSignature: Buffer.from(
          signModel(
            [file('config.json', 'x'), release.files[1]!],
            { privateKey: KEYS.ci.secret },
            { name: 'm' },
          ).bundle,
        ),
      }),
  },
  {
    row: 'no image where one is demanded',
    code: 'MALFORMED_MBOM',
    change: (d) => void (d.mbomOptions.runtimeImage = undefined),
  },
];

/** Signed, and with a key that stands twice inside. */
function twice(body: object): Buffer {
  const text = JSON.stringify(body).replace('"predicate":', '"predicate":{},"predicate":');
  const bundle = JSON.parse(signedPayload(KEYS.scanner, body).toString());
  const { dsseEnvelope } = JSON.parse(signedRaw(Buffer.from(text)).toString());
  return Buffer.from(JSON.stringify({ ...bundle, dsseEnvelope }));
}
const signedRaw = (payload: Buffer): Buffer => {
  const again = signedPayload(KEYS.scanner, {});
  const bundle = JSON.parse(again.toString());
  bundle.dsseEnvelope.payload = payload.toString('base64');
  return Buffer.from(JSON.stringify(bundle));
};
