// `steelyard/gate/1` as zod says it. There is no field that means "absent is fine": no warn, no audit, no optional, no skip, and
// nobody is trusted who is not named.
import * as z from 'zod';

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'a short name of letters, digits, . _ -');
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'sha256: and 64 lower-case hex digits are needed');
const day = z.iso.date('a day is needed, as in 2027-06-30');
const text = z.string().min(1).max(1000);
const file = z.string().min(1).max(4096);
const names = z.array(name).min(1).max(100);
const purl = z.string().regex(/^pkg:[a-z0-9.+-]+\/.+/, 'a package URL is needed, as pkg:pypi/torch@2.5.1');

/** `12h` or `7d`, at most 366 days, in milliseconds. */
const duration = z
  .string()
  .regex(/^[1-9]\d{0,3}[hd]$/, 'a duration is needed, as 12h or 7d')
  .refine((text) => hoursOf(text) <= 366 * 24, 'at most 366d');

export const hoursOf = (text: string): number => Number.parseInt(text, 10) * (text.endsWith('d') ? 24 : 1);

const GATE_SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
const severity = z.enum(GATE_SEVERITIES);

const VULNERABILITY_FORMATS = ['trivy', 'grype', 'vulns/v0.2', 'cosign-vuln/v1'] as const;
const SBOM_FORMATS = ['cyclonedx', 'spdx'] as const;

const identity = z.union([
  z.strictObject({ key: file }),
  z.strictObject({ certificateChain: file, subject: text }),
  z.strictObject({ identity: text, issuer: text, trustedRoot: file }),
]);

/** How much evidence, and whose. */
const bound = { id: name, signedBy: names, count: z.number().int().min(1).max(16).default(1) };
const common = { ...bound, maxAge: duration };

const controls = {
  vulnerabilities: z.strictObject({
    ...common,
    kind: z.literal('vulnerabilities'),
    subject: z.literal('image'),
    formats: z.array(z.enum(VULNERABILITY_FORMATS)).min(1),
    maxDatabaseAge: duration,
    failOn: severity,
    /** How `vulns/v0.2` must have scored: its method is free text. */
    method: text.optional(),
    /** Stricter or looser for one package. */
    packages: z.array(z.strictObject({ package: purl, failOn: severity })).default([]),
    /** Packages that the image's SBOM must show: a scanner that does not see them says nothing about them. */
    expect: z.array(purl).default([]),
  }),
  sbom: z.strictObject({
    ...common,
    kind: z.literal('sbom'),
    subject: z.literal('image'),
    formats: z.array(z.enum(SBOM_FORMATS)).min(1),
    // Bound to the image by its digest: it does not age.
    maxAge: duration.optional(),
    forbid: z.array(purl).default([]),
  }),
  performance: z.strictObject({
    ...common,
    kind: z.literal('performance'),
    subject: z.literal('release'),
    tests: z.array(text).min(1),
    maxRegression: z.record(text, z.number().min(0)).default({}),
    configuration: digest,
    /** The release that the numbers are compared with; without it, the one that runs (`--current`). */
    baseline: digest.optional(),
  }),
  tests: z.strictObject({
    ...common,
    kind: z.literal('tests'),
    subject: z.literal('release'),
    tests: z.array(text).min(1),
    configuration: digest,
  }),
  build: z.strictObject({
    id: name,
    kind: z.literal('build'),
    subject: z.literal('image'),
    /** A builder counts only if its own signers say so (SLSA: pairs of builder and signer). */
    builders: z.array(z.strictObject({ id: text, signedBy: names })).min(1),
    sources: z.array(text).min(1),
    /** Of different builders: 2 is the evidence of a build that can be reproduced. */
    count: z.number().int().min(1).max(16).default(1),
  }),
  layout: z.strictObject({
    id: name,
    kind: z.literal('layout'),
    owner: names,
    /** Files of the release, and the step whose product each must be. */
    files: z.record(z.string().min(1), z.string().min(1)),
    commands: z.enum(['told', 'exact']).default('told'),
  }),
  canary: z.strictObject({
    ...common,
    kind: z.literal('canary'),
    subject: z.literal('release'),
    suite: digest.optional(),
    /** A first release has nothing to be compared with: until that day its absolute rules are enough. */
    first: z
      .string()
      .regex(/^allowed-until \d{4}-\d\d-\d\d$/, 'allowed-until and a day')
      .optional(),
  }),
  serving: z.strictObject({
    ...bound,
    kind: z.literal('serving'),
    subject: z.literal('release'),
  }),
  source: z.strictObject({
    ...bound,
    kind: z.literal('source'),
    subject: z.literal('release'),
    zone: text,
    /** The policy that the zone stood in. */
    policy: digest.optional(),
  }),
} as const;

export const GateSchema = z.strictObject({
  schema: z.literal('steelyard/gate/1'),
  name: text,
  environment: name,
  expires: day,
  identities: z.record(name, identity),
  people: z.record(name, names),
  release: z.strictObject({
    mbom: z.strictObject({ signedBy: names }),
    model: z.strictObject({ signedBy: names }),
    scan: z.union([
      z.strictObject({ signedBy: names, maxAge: duration, policy: digest.optional() }),
      z.strictObject({
        rerun: z.literal(true),
        failOn: z.enum(['low', 'medium', 'high', 'critical']).optional(),
      }),
    ]),
  }),
  image: z.union([
    z.literal('none'),
    z.strictObject({
      signedBy: names,
      repositories: z.array(text).min(1),
      platforms: z.array(z.string().regex(/^[a-z0-9]+\/[a-z0-9]+(\/[a-z0-9]+)?$/, 'as linux/amd64')).min(1),
    }),
  ]),
  controls: z.array(z.discriminatedUnion('kind', Object.values(controls) as never)).min(1),
  exceptions: z
    .strictObject({
      vex: z.strictObject({ signedBy: names, maxAge: duration }).optional(),
      waivers: z
        .array(
          z.strictObject({
            id: text,
            package: purl.optional(),
            reason: text,
            owner: text,
            expires: day,
          }),
        )
        .default([]),
    })
    .default({ waivers: [] }),
  approvals: z.strictObject({
    need: z.number().int().min(1).max(64),
    of: names,
    maxAge: duration,
    /** The approval must name the release that it replaces, and that one must be the one that runs. */
    replaces: z.literal('required').optional(),
    producers: z.literal('excluded'),
  }),
  recalls: z.strictObject({ signedBy: names, maxAge: duration }),
});

type Controls = { [Kind in keyof typeof controls]: z.infer<(typeof controls)[Kind]> };
/** A control of one kind. */
export type ControlOf<Kind extends keyof Controls> = Controls[Kind];
export type Control = Controls[keyof Controls];
export type GateJson = Omit<z.infer<typeof GateSchema>, 'controls'> & {
  readonly controls: readonly Control[];
};
