// The lines that drift writes and that a search for a digest reads later: `steelyard/drift/1`, one JSON document a line.

import * as z from 'zod';
import { json } from '../../document/json/chunks.ts';
import { readOwn } from '../../document/own-json.ts';
import { WITNESSES } from './look/witness.ts';
import { STATES, type State } from './state.ts';

const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const Schema = z.literal('steelyard/drift/1');
const Time = z.iso.datetime({ offset: true });
/** What a target says of itself: any text. */
const Claimed = z.string().max(200).nullable();

const ACTIONS = ['none', 'would-pull', 'pulled', 'would-admit', 'admitted', 'kept', 'failed'] as const;
export type Action = (typeof ACTIONS)[number];

const Witness = z.strictObject({
  witness: z.enum(WITNESSES),
  state: z
    .enum(STATES as [State, ...State[]])
    .nullable()
    .describe('null: it could not be asked here, and nothing was looked at'),
  message: z.string().max(500),
});

const Target = z.strictObject({
  target: z.string().describe('address, or namespace/pod'),
  uid: z.string().nullable().describe('of the pod'),
  state: z.enum(STATES as [State, ...State[]]),
  modelSha: Claimed.describe('what its header said'),
  bomId: Claimed.describe('what its header said'),
  adapterSha: Claimed.describe('what its header said'),
  release: Digest.nullable().describe('the release that it was compared with'),
  witnesses: z.array(Witness),
  looks: z.int().min(1),
  action: z.enum(ACTIONS),
  because: z.string().max(500).nullable().describe('why nothing was done, or why it failed'),
});

const Round = z
  .strictObject({
    schema: Schema,
    kind: z.literal('round'),
    at: Time,
    releases: z.array(Digest).min(1).describe('what may be served'),
    targets: z.array(Target),
    stopped: z
      .boolean()
      .describe('more than half drifted: the MBOM is late, not the pods; nothing was pulled'),
    exitCode: z.int().min(0).max(2),
  })
  .describe('one round of looks at all targets');

/** Proxies have no word for nothing: HAProxy writes a dash, nginx an empty string, Envoy null. */
const Absent = z.string().max(200).nullable().optional();

const Request = z
  .strictObject({
    schema: Schema,
    kind: z.literal('request'),
    at: Time,
    pod: z.string().max(300),
    request: z.string().max(300).nullable(),
    status: z.int().min(0).max(999),
    modelSha: Absent,
    bomId: Absent,
    adapterSha: Absent,
  })
  .describe('one response, from the log of a proxy: which release answered it');

const Package = z.strictObject({
  package: z.string().max(1000).describe('purl without its version'),
  change: z.enum(['added', 'removed', 'changed']),
  declared: z.array(z.string()).describe('versions in the SBOM'),
  found: z.array(z.string()).describe('versions that are installed'),
  allowed: z.string().nullable().describe('why it is allowed, until when'),
});

const Packages = z
  .strictObject({
    schema: Schema,
    kind: z.literal('packages'),
    at: Time,
    sbom: Digest.describe('of its bytes'),
    signer: z.string().nullable(),
    notCompared: z.int().min(0).describe('entries of the SBOM that are of another kind, or no package'),
    compared: z.array(z.strictObject({ ecosystem: z.string(), declared: z.int(), found: z.int() })),
    changes: z.array(Package),
    exitCode: z.int().min(0).max(2),
  })
  .describe('installed packages against an SBOM');

export const DriftSchema = z.discriminatedUnion('kind', [Round, Request, Packages]);

export type DriftRecord = z.infer<typeof DriftSchema>;
export type RoundRecord = z.infer<typeof Round>;
export type PackagesRecord = z.infer<typeof Packages>;
export type PackageChange = z.infer<typeof Package>;
export type TargetRecord = z.infer<typeof Target>;

/**
 * Reads one line of a history or of a proxy's log.
 *
 * @param name what messages call it: the file and the number of the line.
 * @throws SteelyardError INVALID_DOCUMENT
 */
export const readDriftLine = (line: string, name: string): DriftRecord =>
  readOwn(Buffer.from(line), DriftSchema, name);

export const driftLine = (record: DriftRecord): string => `${json(record)}\n`;
