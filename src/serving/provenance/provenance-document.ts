// What a verifier found on disk, for those who speak for the model afterwards: `steelyard/provenance/1`. It is not signed: who can
// write it can say anything, so the pod keeps it where only the verifier writes.

import * as z from 'zod';
import { jsonText } from '../../document/json/chunks.ts';
import { readOwn } from '../../document/own-json.ts';

const Digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'a digest is needed: sha256: and 64 lower-case hex digits');
/** The path is absolute in `root` and relative everywhere else. */
const Path = z.string().min(1).max(4096);
/** 64-bit integers, which JSON's numbers do not hold. */
const Integer = z.string().regex(/^-?\d{1,20}$/, 'an integer is needed, as a string');
const Stat = z
  .tuple([Integer, Integer, Integer, Integer, Integer])
  .describe('device, inode, size, mtime and ctime in nanoseconds');

export const ProvenanceSchema = z.strictObject({
  schema: z.literal('steelyard/provenance/1'),
  modelSha: Digest.describe("the MBOM's model.digest: what x-model-sha says"),
  bomId: Digest.describe("the digest of the MBOM's bytes, the release: what x-bom-id says"),
  adapterSha: Digest.optional().describe("the MBOM's adapter.digest: what x-adapter-sha says"),
  runtimeImage: z.string().max(2000).optional(),
  signer: z.string().min(1).max(2000).describe('who signed the MBOM, for people'),
  verifiedAt: z.iso.datetime(),
  root: Path.startsWith('/', 'an absolute path is needed'),
  files: z
    .array(z.strictObject({ path: Path, sha256: z.string().regex(/^[0-9a-f]{64}$/), stat: Stat }))
    .min(1),
  folders: z
    .array(z.strictObject({ path: Path, stat: Stat }))
    .min(1)
    .describe('the folders that files lie in: a new file in one of them changes it'),
});

export type Provenance = z.infer<typeof ProvenanceSchema>;
export type Stat = z.infer<typeof Stat>;

/** @throws SteelyardError INVALID_DOCUMENT, with line and column. */
export const readProvenance = (bytes: Uint8Array, name: string): Provenance =>
  readOwn(bytes, ProvenanceSchema, name);

export const provenanceText = (provenance: Provenance): string => jsonText(provenance);

/** What the headers say where nothing can be said. Never absent: a proxy's clients could not tell that from no proxy. */
export const UNKNOWN = 'unknown';

/** The headers by name. An application behind them may set none of these itself. */
export const HEADERS = ['x-model-sha', 'x-bom-id', 'x-adapter-sha'] as const;
export type Headers = Readonly<Partial<Record<(typeof HEADERS)[number], string>>>;

export const headersOf = ({ modelSha, bomId, adapterSha }: Provenance): Headers => ({
  'x-model-sha': modelSha,
  'x-bom-id': bomId,
  ...(adapterSha === undefined ? {} : { 'x-adapter-sha': adapterSha }),
});

export const UNKNOWN_HEADERS: Headers = { 'x-model-sha': UNKNOWN, 'x-bom-id': UNKNOWN };
