// An MBOM as CycloneDX JSON, for tools that collect bills of materials. By hand: the JavaScript library knows no model card
// and no nested files. Without a clock and a serial number: the same MBOM gives the same bytes.
import { VERSION } from '../package.ts';
import type { Mbom, MbomFile, Part } from './mbom.ts';

/** Versions of CycloneDX that are written; the document is the same in both. */
export type CycloneDxVersion = '1.6' | '1.7';

/** @returns JSON text. */
export function exportCycloneDx(mbom: Mbom, version: CycloneDxVersion = '1.6'): string {
  const { model, baseModel, adapter, runtimeImage, files } = mbom;
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
        ...(baseModel === undefined
          ? {}
          : { pedigree: { ancestors: [modelComponent('base-model', baseModel)] } }),
        components: files.map(fileComponent),
      },
    },
    components: parts,
    dependencies: [
      { ref: 'model', dependsOn: parts.map((part) => part['bom-ref']) },
      ...parts.map((part) => ({ ref: part['bom-ref'] })),
    ],
  };
  return `${JSON.stringify(bom, null, 2)}\n`;
}

// A root digest is not the hash of any bytes of the component, and a tool that compared it with some would be misled.
const modelComponent = (ref: string, { name, digest }: Part) => ({
  type: 'machine-learning-model',
  'bom-ref': ref,
  name,
  properties: [{ name: 'steelyard:digest', value: digest }],
});

const fileComponent = ({ path, sha256, size }: MbomFile) => ({
  type: 'file',
  'bom-ref': `file:${path}`,
  name: path,
  hashes: [{ alg: 'SHA-256', content: sha256 }],
  properties: [{ name: 'steelyard:size', value: String(size) }],
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
