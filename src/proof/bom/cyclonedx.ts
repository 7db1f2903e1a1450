// An MBOM as CycloneDX JSON, for tools that collect bills of materials. By hand: the JavaScript library knows no model card
// and no nested files. Without a clock and a serial number: the same MBOM gives the same bytes.
import { SteelyardError } from '../../rules/error.ts';
import { VERSION } from '../../runtime/package.ts';
import type { ProfileDocument } from '../../scan/profile/document/document.ts';
import type { TensorProfile } from '../../scan/profile/profile.ts';
import type { Mbom, MbomFile, Part } from './mbom.ts';

/** Versions of CycloneDX that are written; the document is the same in both. */
export type CycloneDxVersion = '1.6' | '1.7';

export interface CycloneDxOptions {
  /** Default '1.6'. */
  readonly version?: CycloneDxVersion;
  /** The profile that the MBOM names: adds a component for each tensor. */
  readonly profile?: ProfileDocument;
}

/**
 * @returns JSON text.
 * @throws SteelyardError USAGE: the profile is not the one that the MBOM names.
 */
export function exportCycloneDx(mbom: Mbom, { version = '1.6', profile }: CycloneDxOptions = {}): string {
  const { model, baseModel, adapter, runtimeImage, files } = mbom;
  if (profile !== undefined && profile.digest !== mbom.profile) {
    throw new SteelyardError('USAGE', 'the profile is not the one that the MBOM names');
  }
  const tensors = tensorComponents(profile?.tensors ?? []);
  const parts = [
    ...(adapter === undefined ? [] : [modelComponent('adapter', adapter)]),
    ...(runtimeImage === undefined ? [] : [imageComponent(runtimeImage)]),
  ];
  const bom = {
    $schema: `http://cyclonedx.org/schema/bom-${version}.schema.json`,
    bomFormat: 'CycloneDX',
    specVersion: version,
    version: 1,
    metadata: {
      tools: { components: [{ type: 'application', name: 'steelyard', version: VERSION }] },
      component: {
        ...modelComponent('model', model),
        modelCard: modelCard(mbom, profile),
        ...(baseModel === undefined
          ? {}
          : { pedigree: { ancestors: [modelComponent('base-model', baseModel)] } }),
        components: files.map((file) => fileComponent(file, tensors.get(file.path))),
      },
    },
    components: parts,
    dependencies: [
      { ref: 'model', dependsOn: parts.map((part) => part['bom-ref']) },
      ...parts.map((part) => ({ ref: part['bom-ref'] })),
    ],
  };
  // What a terminal obeys or nobody sees is escaped, as in every document of ours.
  const text = JSON.stringify(bom, null, 2).replace(HARMFUL, (character) =>
    Array.from(
      { length: character.length },
      (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
  return `${text}\n`;
}

const HARMFUL = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{DI}]/gu;

// A root digest is not the hash of any bytes of the component, and a tool that compared it with some would be misled.
const modelComponent = (ref: string, { name, digest }: Part) => ({
  type: 'machine-learning-model',
  'bom-ref': ref,
  name,
  properties: [{ name: 'steelyard:digest', value: digest }],
});

/** What is measured, and nothing that only the model's author could say. */
function modelCard({ profile: digest, tensors }: Mbom, profile: ProfileDocument | undefined) {
  const metadata = profile?.files.flatMap(({ metadata }) => metadata);
  const architecture = metadata?.find(({ key }) => key === 'general.architecture')?.value;
  return {
    ...(typeof architecture === 'string' ? { modelParameters: { modelArchitecture: architecture } } : {}),
    properties: [
      ...(digest === undefined ? [] : [{ name: 'steelyard:profile', value: digest }]),
      ...(tensors === undefined
        ? []
        : [
            { name: 'steelyard:tensors', value: tensors.digest },
            { name: 'steelyard:tensor-count', value: String(tensors.count) },
          ]),
    ],
  };
}

/** By file. */
function tensorComponents(tensors: readonly TensorProfile[]): ReadonlyMap<string, readonly object[]> {
  const files = new Map<string, object[]>();
  for (const [index, { name, file, dtype, shape, sha256 }] of tensors.entries()) {
    const component = {
      type: 'data',
      // Not the name: that a model has a name twice must not make the document invalid.
      'bom-ref': `tensor:${index}`,
      name,
      ...(sha256 === null ? {} : { hashes: [{ alg: 'SHA-256', content: sha256.slice(-64) }] }),
      properties: [
        { name: 'steelyard:dtype', value: dtype },
        { name: 'steelyard:shape', value: JSON.stringify(shape) },
      ],
    };
    const others = files.get(file);
    if (others === undefined) files.set(file, [component]);
    else others.push(component);
  }
  return files;
}

const fileComponent = ({ path, sha256, size }: MbomFile, tensors: readonly object[] | undefined) => ({
  type: 'file',
  'bom-ref': `file:${path}`,
  name: path,
  hashes: [{ alg: 'SHA-256', content: sha256 }],
  properties: [{ name: 'steelyard:size', value: String(size) }],
  components: tensors,
});

function imageComponent(image: string) {
  const [name, digest] = image.split('@') as [string, string];
  return {
    type: 'container',
    'bom-ref': 'runtime-image',
    name,
    version: digest,
    hashes: [{ alg: 'SHA-256', content: digest.slice('sha256:'.length) }],
  };
}
