// An MBOM's bytes to its value and back. The exact bytes are what is signed, so nothing here makes them canonical.
import { createHash } from 'node:crypto';
import { readYaml, type Yaml } from '../../document/yaml.ts';
import { SteelyardError } from '../../rules/error.ts';
import { Refused, refuse } from '../sign/refusal.ts';
import { rootDigest } from '../sign/statement/manifest.ts';
import { assertDistinct, byBytes } from '../sign/statement/path.ts';
import type { Mbom, MbomFile } from './mbom.ts';
import { mbomSchema } from './mbom-schema.ts';

/**
 * Reads an MBOM. That it can be read says nothing about who wrote it: see `verifyMbom`.
 *
 * @throws SteelyardError INVALID_MBOM, with line and column.
 */
export function readMbom(bytes: Uint8Array): Mbom {
  try {
    return openMbom(bytes);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const [{ code, message, file }] = error.refusals;
    const where = file === undefined ? '' : `: ${quoted(file)}`;
    throw new SteelyardError('INVALID_MBOM', `the MBOM cannot be used (${code}): ${message}${where}`);
  }
}

/** 100,000 files take some 20 MB. */
const SIZE = 67_108_864;

/** Strings alone: a digest of digits, a path called `null` or a version 1.10 are what stands there. */
const yamlOf = (bytes: Uint8Array): Yaml =>
  readYaml(bytes, {
    size: SIZE,
    scalars: 'text',
    failure: (place, reason) =>
      new Refused([
        {
          code: 'MALFORMED_MBOM',
          message: place === null ? `the MBOM is ${reason}` : `${place}: ${reason.slice(0, 200)}`,
        },
      ]),
  });

/** The MBOM that was opened last, by the digest of its bytes: a gate asks twice, and YAML of 300 files takes 0.1 s. */
let last: { readonly digest: string; readonly mbom: Mbom } | undefined;

/** Refuses: MALFORMED_MBOM, PATH_ESCAPE, DUPLICATE_NAME, ROOT_MISMATCH. */
export function openMbom(bytes: Uint8Array): Mbom {
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (last?.digest !== digest) last = { digest, mbom: parsedMbom(bytes) };
  return last.mbom;
}

function parsedMbom(bytes: Uint8Array): Mbom {
  const yaml = yamlOf(bytes);
  const result = mbomSchema().safeParse(yaml.data);
  if (!result.success) {
    const [issue] = result.error.issues;
    const path = issue!.path.join('.');
    const where = path === '' ? '' : `${path}: `;
    return refuse('MALFORMED_MBOM', `${yaml.placeOf(issue!.path)}: ${where}${issue!.message.slice(0, 200)}`);
  }
  const { schema: version, model, files, ...optional } = result.data;
  const { base_model, adapter, runtime_image, profile, tensors, signing_key, config } = optional;
  const mbom: Mbom = {
    schema: version,
    model,
    files,
    ...(base_model === undefined ? {} : { baseModel: base_model }),
    ...(adapter === undefined ? {} : { adapter }),
    ...(runtime_image === undefined ? {} : { runtimeImage: runtime_image }),
    ...(profile === undefined ? {} : { profile }),
    ...(tensors === undefined ? {} : { tensors }),
    ...(signing_key === undefined ? {} : { signingKey: signing_key }),
    ...(config === undefined ? {} : { config }),
  };
  assertDistinct(mbom.files.map(({ path }) => path));
  assertDistinct((config ?? []).map(({ path }) => path));
  const root = rootOf(mbom.files);
  if (root !== mbom.model.digest) {
    refuse(
      'ROOT_MISMATCH',
      "the model's digest is not that of the files listed: the MBOM contradicts itself",
      {
        expected: mbom.model.digest,
        actual: root,
      },
    );
  }
  return mbom;
}

export function rootOf(files: readonly MbomFile[]): string {
  const resources = files.map(({ path, sha256 }) => ({ name: path, sha256 }));
  return `sha256:${rootDigest(resources.sort((a, b) => byBytes(a.name, b.name)))}`;
}

/** YAML that every reader reads alike: double-quoted strings as in JSON, and scalars that need no quotes. */
export function writeMbom({
  schema,
  model,
  baseModel,
  adapter,
  runtimeImage,
  profile,
  tensors,
  signingKey,
  files,
  config = [],
}: Mbom): string {
  const part = (
    key: string,
    part: { readonly name: string; readonly digest: string } | undefined,
  ): string[] =>
    part === undefined ? [] : [`${key}:`, `  name: ${quoted(part.name)}`, `  digest: ${part.digest}`];
  return [
    `schema: ${schema}`,
    ...part('model', model),
    ...part('base_model', baseModel),
    ...part('adapter', adapter),
    ...(runtimeImage === undefined ? [] : [`runtime_image: ${quoted(runtimeImage)}`]),
    ...(profile === undefined ? [] : [`profile: ${profile}`]),
    ...(tensors === undefined
      ? []
      : ['tensors:', `  count: ${tensors.count}`, `  digest: ${tensors.digest}`]),
    ...(signingKey === undefined ? [] : [`signing_key: ${signingKey}`]),
    'files:',
    ...files.flatMap(listed),
    ...(config.length === 0 ? [] : ['config:', ...config.flatMap(listed)]),
    '',
  ].join('\n');
}

const listed = ({ path, sha256, size }: MbomFile): string[] => [
  `  - path: ${quoted(path)}`,
  `    sha256: ${sha256}`,
  `    size: ${size}`,
];

// All but printable ASCII is escaped: an MBOM is reviewed by people, whom invisible characters would deceive.
const quoted = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
