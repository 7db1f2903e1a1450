// Drills on evidence: each control's evidence deleted, changed, unsigned, too old and dated in the future; and a trusted report that says no.

import { signDocument } from '../../../proof/sign/sign.ts';
import { readForeign } from '../../claim/foreign.ts';
import type { Control } from '../../release-policy/schema.ts';
import type { GateCode } from '../../verdict/denial.ts';
import type { ControlVerdict, CountedEvidence, Verdict } from '../../verdict/verdict.ts';
import {
  changed,
  type Drill,
  fileOf,
  flipped,
  type Scene,
  stated,
  THROW_AWAY,
  trusting,
  withFile,
  without,
} from './scene.ts';

const SIGNATURE = '.sigstore.json';
const UNTRUSTED: readonly GateCode[] = [
  'EVIDENCE_UNTRUSTED',
  'UNTRUSTED_SOURCE',
  'UNSIGNED',
  'WRONG_KEY',
  'BAD_SIGNATURE',
  'NO_EVIDENCE',
  'MALFORMED_LAYOUT',
  'BELOW_THRESHOLD',
];
const MISSING: readonly GateCode[] = ['NO_EVIDENCE', 'UNSIGNED', 'UNTRUSTED_SOURCE', 'BELOW_THRESHOLD'];
const YEARS = 10 * 366 * 86_400_000;

export function evidenceDrills(scene: Scene, { controls }: Verdict): Drill[] {
  const counted = controls.filter(({ id, evidence }) => id !== 'recalls' && evidence.length > 0);
  return [
    ...counted.flatMap(ofControl),
    ...counted.flatMap((one) => sayingNo(scene, one)),
    ...clock(counted),
    ...image(scene),
  ];
}

/** With it goes its signature. */
const pathsOf = (evidence: readonly CountedEvidence[]): string[] =>
  evidence.flatMap(({ file }) => [file, `${file}${SIGNATURE}`]);

function ofControl({ id, evidence }: ControlVerdict): Drill[] {
  const files = [...new Set(evidence.map(({ file }) => file))];
  return [
    {
      name: `${id}: the evidence is deleted`,
      codes: MISSING,
      change: (scene) => without(scene, pathsOf(evidence)),
    },
    {
      name: `${id}: one bit of the evidence is changed`,
      codes: UNTRUSTED,
      change: (scene) => files.reduce((all, path) => withFile(all, path, flipped(fileOf(all, path))), scene),
    },
    {
      name: `${id}: nobody signed the evidence`,
      codes: UNTRUSTED,
      change: (scene) => files.reduce(unsigned, scene),
    },
  ];
}

/** Its detached signature goes; a statement has its signature inside, and there it is emptied. */
function unsigned(scene: Scene, path: string): Scene {
  const beside = `${path}${SIGNATURE}`;
  if (scene.release.evidence.some((one) => one.path === beside)) return without(scene, [beside]);
  const text = fileOf(scene, path)
    .toString('utf8')
    .replaceAll(/"sig":\s*"[^"]*"/g, '"sig":""');
  return withFile(scene, path, Buffer.from(text));
}

function clock(counted: readonly ControlVerdict[]): Drill[] {
  const dated = counted.some(({ evidence }) => evidence.some(({ time }) => time !== null));
  if (!dated) return [];
  return [
    {
      name: 'the clock: ten years later, under a policy that still holds',
      codes: ['EVIDENCE_STALE', 'RECALLS_STALE'],
      change: (scene) => ({ ...held(scene), now: scene.now + YEARS }),
    },
    {
      name: 'the clock: ten years before the evidence was made',
      codes: ['EVIDENCE_FROM_FUTURE', 'RECALLS_STALE'],
      change: (scene) => ({ ...scene, now: scene.now - YEARS }),
    },
  ];
}

const held = (scene: Scene): Scene => ({
  ...scene,
  policy: { ...scene.policy, json: { ...scene.policy.json, expires: '2999-12-31' } },
});

function image({ release, policy }: Scene): Drill[] {
  if (policy.json.image === 'none') return [];
  const documents = release.evidence
    .filter(
      ({ bytes }) => bytes.length < 1_000_000 && /"(manifests|rootfs|layers)"/.test(bytes.toString('latin1')),
    )
    .map(({ path }) => path);
  return [
    {
      name: 'image: its manifests are not among the evidence',
      codes: ['MISSING_PLATFORM'],
      change: (scene) => without(scene, documents),
    },
    {
      name: 'image: another platform is promoted than the image has',
      codes: ['MISSING_PLATFORM'],
      change: (scene) => {
        const demand = { ...(policy.json.image as object), platforms: ['linux/drill'] } as never;
        return { ...scene, policy: { ...policy, json: { ...policy.json, image: demand } } };
      },
    },
  ];
}

/** What if a signer that is trusted said no? Its report is copied, made worse and signed by a key that is trusted for this drill alone. */
function sayingNo(scene: Scene, { id, evidence }: ControlVerdict): Drill[] {
  const control = scene.policy.json.controls.find((one) => one.id === id);
  return evidence.slice(0, 1).flatMap((one): Drill[] => {
    const worse =
      control === undefined ? undefined : WORSE.find(({ kinds }) => kinds.includes(one.kind))?.make(control);
    if (worse === undefined) return [];
    const { name, codes, edit } = worse;
    return [{ name: `${id}: ${name}`, codes, change: (it) => worsened(it, one, edit) }];
  });
}

type Json = Record<string, unknown>;

interface Worse {
  readonly name: string;
  readonly codes: readonly GateCode[];
  readonly edit: (body: Json) => Json;
}

const WORSE: readonly {
  readonly kinds: readonly string[];
  readonly make: (control: Control) => Worse | undefined;
}[] = [
  {
    kinds: ['trivy'],
    make: () => ({ name: 'one critical finding more', codes: ['VULNERABLE'], edit: withTrivyFinding }),
  },
  {
    kinds: ['grype'],
    make: () => ({ name: 'one critical finding more', codes: ['VULNERABLE'], edit: withGrypeMatch }),
  },
  {
    kinds: ['cyclonedx'],
    make: (control) => {
      const [forbidden] = control.kind === 'sbom' ? control.forbid : [];
      if (forbidden === undefined) return undefined;
      const component = { type: 'library', name: 'drill', purl: forbidden };
      return {
        name: 'a forbidden package more',
        codes: ['FORBIDDEN_PACKAGE'],
        edit: (bom) => ({ ...bom, components: [...(bom.components as Json[]), component] }),
      };
    },
  },
  {
    kinds: ['test-result'],
    make: () => ({
      name: 'the same tests fail',
      codes: ['TEST_FAILED'],
      edit: (body) => ({ ...body, result: 'FAILED', failedTests: body.passedTests, passedTests: [] }),
    }),
  },
  {
    kinds: ['canary'],
    make: () => ({
      name: 'the canary fails',
      codes: ['CANARY_FAILED'],
      edit: (body) => ({ ...body, outcome: 'fail' }),
    }),
  },
  {
    kinds: ['serving'],
    make: () => ({
      name: 'the lint fails',
      codes: ['SERVING_UNSAFE'],
      edit: (body) => ({ ...body, verdict: { ...(body.verdict as Json), outcome: 'fail' } }),
    }),
  },
];

function withTrivyFinding(body: Json): Json {
  const finding = {
    VulnerabilityID: 'CVE-DRILL',
    PkgName: 'drill',
    InstalledVersion: '1',
    Severity: 'CRITICAL',
  };
  const result = { Target: 'drill', Class: 'os-pkgs', Type: 'drill', Vulnerabilities: [finding] };
  // The date of its database may stand beside the report, signed by a key that does not sign here.
  const Server = { VulnerabilityDB: { UpdatedAt: body.CreatedAt } };
  return {
    ...body,
    Trivy: { ...(body.Trivy as Json), Server },
    Results: [...(body.Results as Json[]), result],
  };
}

function withGrypeMatch(body: Json): Json {
  const vulnerability = { id: 'CVE-DRILL', severity: 'Critical', fix: { versions: [], state: 'unknown' } };
  const match = { vulnerability, artifact: { name: 'drill', version: '1', purl: '' } };
  return { ...body, matches: [...(body.matches as Json[]), match] };
}

function worsened(scene: Scene, { file, line, by }: CountedEvidence, edit: (body: Json) => Json): Scene {
  const trusted = trusting(scene, [by]);
  const path = 'evidence/drill.json';
  if (line === null && scene.release.evidence.some((one) => one.path === `${file}${SIGNATURE}`)) {
    const bytes = Buffer.from(JSON.stringify(edit(readForeign(fileOf(scene, file)).value as Json)));
    const signature = Buffer.from(signDocument(bytes, THROW_AWAY));
    return withFile(withFile(trusted, path, bytes), `${path}${SIGNATURE}`, signature);
  }
  const text = fileOf(scene, file).toString('utf8').split('\n')[(line ?? 1) - 1] ?? '';
  const envelope = JSON.parse(text) as { dsseEnvelope?: { payload: string }; payload?: string };
  const payload = Buffer.from((envelope.dsseEnvelope?.payload ?? envelope.payload)!, 'base64').toString(
    'utf8',
  );
  const statement = JSON.parse(payload) as {
    subject: { digest: { sha256: string } }[];
    predicateType: string;
    predicate: Json;
  };
  const bytes = stated(
    `sha256:${statement.subject[0]!.digest.sha256}`,
    statement.predicateType,
    edit(statement.predicate),
  );
  return changed(trusted, { evidence: withFile(trusted, path, bytes).release.evidence });
}
