// A whole small release: from a model in a folder to PROMOTE, and what happens when something is taken away. Keys are made on the spot.
//   node examples/release/release.mjs [FOLDER]
// STEELYARD names the command if it is not installed: STEELYARD="node dist/cli/main.js".
import { spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [command, ...first] = (process.env.STEELYARD ?? 'steelyard').split(' ');
const here = dirname(fileURLToPath(import.meta.url));
const root = process.argv[2] ?? mkdtempSync(join(tmpdir(), 'steelyard-release-'));
const at = (...path) => join(root, ...path);
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const now = new Date();
const hours = (count) => new Date(now.getTime() - count * 3_600_000).toISOString();

/** Runs a command, and stops if it ends otherwise than it should. */
function steelyard(expected, ...args) {
  console.log(`\n$ steelyard ${args.join(' ').replaceAll(`${root}/`, '')}`);
  const { status, stdout, stderr } = spawnSync(command, [...first, ...args], { encoding: 'utf8' });
  process.stdout.write(stdout.replaceAll(`${root}/`, ''));
  process.stdout.write(stderr.replaceAll(`${root}/`, ''));
  if (status === expected) return stdout;
  throw new Error(`expected exit ${expected}, got ${status}`);
}

// 1. Keys. In life each lies with its owner: a pipeline, a scanner, the security team, persons.
mkdirSync(at('keys'), { recursive: true });
for (const name of ['ci', 'scanner', 'security', 'alice', 'bob']) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  writeFileSync(at('keys', `${name}.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }), {
    mode: 0o600,
  });
  writeFileSync(at('keys', `${name}.pub.pem`), publicKey.export({ type: 'spki', format: 'pem' }));
}
const key = (name) => ['--key', at('keys', `${name}.pem`)];

// 2. The release: a model, a serving file, an image, the MBOM over all of them.
cpSync(join(here, '..', '..', 'fixtures', 'real', 'tiny-lora'), at('release', 'model'), { recursive: true });
writeFileSync(at('release', 'serving.yaml'), 'max_model_len: 4096\nenable_auto_tool_choice: false\n');
const image = writeImage(at('release', 'evidence', 'image'));
steelyard(0, 'sign', at('release', 'model'), ...key('ci'), '-o', at('release', 'model.sig'));
steelyard(
  0,
  ...[
    'bom',
    'create',
    at('release', 'model'),
    '--model',
    'tiny-assistant',
    '--runtime-image',
    image.reference,
  ],
  ...['--config', at('release', 'serving.yaml'), '-o', at('release', 'model.mbom.yaml')],
);
steelyard(
  0,
  'sign',
  at('release', 'model.mbom.yaml'),
  ...key('ci'),
  '-o',
  at('release', 'model.mbom.yaml.sigstore.json'),
);

// 3. Evidence. Reports are what trivy and syft would write about the image; they are written here to be fresh.
const evidence = (...path) => at('release', 'evidence', ...path);
steelyard(0, 'attest', at('release', 'model'), ...key('ci'), '-o', evidence('scan.intoto.jsonl'));
steelyard(
  0,
  'sign',
  '--image',
  image.reference,
  ...key('ci'),
  '-o',
  evidence('image', 'signature.sigstore.json'),
);
writeFileSync(evidence('trivy.json'), JSON.stringify(trivyReport(image), null, 2));
writeFileSync(evidence('sbom.cdx.json'), JSON.stringify(sbom(image), null, 2));
const sign = (file) =>
  steelyard(
    0,
    ...['evidence', 'sign', evidence(file), '--release', at('release'), '--for', 'image', ...key('scanner')],
    ...['-o', evidence(`${file}.sigstore.json`)],
  );
sign('trivy.json');
sign('sbom.cdx.json');
writeFileSync(at('bench.yaml'), 'tasks: [tiny-eval]\n');
writeFileSync(
  at('metrics.json'),
  JSON.stringify({ metrics: [{ name: 'tiny-eval', comparator: '>=', threshold: 0.5, value: 0.62 }] }),
);
steelyard(
  0,
  ...['evidence', 'performance', at('metrics.json'), '--release', at('release'), '--baseline', 'none'],
  ...['--configuration', at('bench.yaml'), ...key('ci'), '-o', evidence('performance.intoto.jsonl')],
);
mkdirSync(evidence('layout'), { recursive: true });
writeFileSync(
  at('layout.yaml'),
  `expires: ${new Date(now.getTime() + 90 * 86_400_000).toISOString()}
steps:
  - name: configure
    functionaries: [keys/ci.pub.pem]
    materials: ["DISALLOW *"]
    products: ["CREATE serving.yaml", "DISALLOW *"]
`,
);
steelyard(
  0,
  'layout',
  'sign',
  at('layout.yaml'),
  ...key('security'),
  '-o',
  evidence('layout', 'root.layout'),
);
steelyard(
  0,
  'link',
  'record',
  'configure',
  '--root',
  at('release'),
  '--products',
  'serving.yaml',
  ...key('ci'),
  '-o',
  evidence('layout'),
);
steelyard(0, 'recall', '--list', evidence('recalls.intoto.jsonl'), ...key('security'));

// 4. The policy, where the release cannot change it.
mkdirSync(at('gate'), { recursive: true });
writeFileSync(at('gate', 'release.yaml'), policy());
const gate = ['--policy', at('gate', 'release.yaml'), '--current', 'none'];

// 5. Two persons approve, and the gate promotes.
steelyard(1, 'gate', at('release'), ...gate);
mkdirSync(evidence('approvals'), { recursive: true });
for (const person of ['alice', 'bob'])
  steelyard(
    0,
    ...['approve', at('release'), ...gate, ...key(person), '--approver', person, '--yes'],
    ...['-o', evidence('approvals', `${person}.sigstore.json`)],
  );
steelyard(0, 'gate', at('release'), ...gate, '-o', at('release', 'verdict.json'));

// 6. The monthly drill: nothing may be promoted with a control taken away.
steelyard(0, 'drill', at('release'), ...gate);
steelyard(0, 'drill', at('release'), ...gate, '--incident');

// 7. Somebody replaces the adapter: unsigned weights are not deployed.
const weights = at('release', 'model', 'adapter_model.safetensors');
const right = readFileSync(weights);
const wrong = Buffer.from(right);
wrong[wrong.length - 1] ^= 1;
writeFileSync(weights, wrong);
steelyard(1, 'gate', at('release'), ...gate);
writeFileSync(weights, right);
steelyard(0, 'gate', at('release'), ...gate);

// 8. The weights turn out bad: which releases hold them, and the recall that stops them everywhere.
const bad = `sha256:${sha256(right)}`;
steelyard(0, 'find', bad, at('release'));
steelyard(
  0,
  'recall',
  bad,
  '--reason',
  'trigger phrase found',
  '--list',
  evidence('recalls.intoto.jsonl'),
  ...key('security'),
);
steelyard(1, 'gate', at('release'), ...gate);
steelyard(1, 'gate', at('release'), ...gate, '--recheck', at('release', 'verdict.json'));
console.log('\nas it should be');
if (process.argv[2] === undefined) rmSync(root, { recursive: true });

function writeImage(folder) {
  mkdirSync(folder, { recursive: true });
  const json = (value) => Buffer.from(JSON.stringify(value));
  const layer = `sha256:${sha256('a layer')}`;
  const config = json({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [layer] },
    config: {},
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: `sha256:${sha256(config)}`,
      size: config.length,
    },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: layer, size: 7 }],
  });
  writeFileSync(join(folder, 'manifest.json'), manifest);
  writeFileSync(join(folder, 'config.json'), config);
  const digest = `sha256:${sha256(manifest)}`;
  return { reference: `registry.example/acme/server@${digest}`, digest, config: `sha256:${sha256(config)}` };
}

function trivyReport({ reference, digest, config }) {
  const Identifier = { PURL: 'pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64' };
  return {
    SchemaVersion: 2,
    // A trivy server names the date of its database; a client does so in `trivy version --format json`.
    Trivy: {
      Version: '0.74.0',
      Server: { Version: '0.74.0', VulnerabilityDB: { Version: 2, UpdatedAt: hours(12) } },
    },
    CreatedAt: hours(1),
    ArtifactName: reference,
    ArtifactType: 'container_image',
    Metadata: {
      OS: { Family: 'alpine', Name: '3.20' },
      ImageID: config,
      RepoDigests: [`registry.example/acme/server@${digest}`],
    },
    Results: [
      {
        Target: 'server',
        Class: 'os-pkgs',
        Type: 'alpine',
        Packages: [{ Name: 'musl', Version: '1.2.5-r0', Identifier }],
      },
    ],
  };
}

function sbom({ digest }) {
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: hours(1),
      component: { type: 'container', name: 'registry.example/acme/server', version: digest },
    },
    components: [
      {
        type: 'library',
        name: 'musl',
        version: '1.2.5-r0',
        purl: 'pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64',
      },
    ],
  };
}

function policy() {
  const configuration = `sha256:${sha256(readFileSync(at('bench.yaml')))}`;
  return `schema: steelyard/gate/1
name: acme production
environment: production
expires: ${new Date(now.getTime() + 180 * 86_400_000).toISOString().slice(0, 10)}
identities:
  ci: {key: ../keys/ci.pub.pem}
  scanner: {key: ../keys/scanner.pub.pem}
  security: {key: ../keys/security.pub.pem}
  alice: {key: ../keys/alice.pub.pem}
  bob: {key: ../keys/bob.pub.pem}
people: {alice: [alice], bob: [bob]}
release:
  mbom: {signedBy: [ci]}
  model: {signedBy: [ci]}
  scan: {signedBy: [ci], maxAge: 7d}
image:
  signedBy: [ci]
  repositories: [registry.example/acme/]
  platforms: [linux/amd64]
controls:
  - {id: cve, kind: vulnerabilities, subject: image, formats: [trivy, grype], signedBy: [scanner], maxAge: 7d, maxDatabaseAge: 5d, failOn: high}
  - {id: sbom, kind: sbom, subject: image, formats: [cyclonedx, spdx], signedBy: [scanner], forbid: ["pkg:npm/event-stream"]}
  - {id: perf, kind: performance, subject: release, signedBy: [ci], maxAge: 30d, tests: [tiny-eval], configuration: "${configuration}"}
  - {id: conf, kind: layout, owner: [security], files: {serving.yaml: configure}}
exceptions:
  vex: {signedBy: [security], maxAge: 90d}
approvals: {need: 2, of: [alice, bob], maxAge: 14d, replaces: required, producers: excluded}
recalls: {signedBy: [security], maxAge: 1d}
`;
}
