// An image of two platforms, as a registry would hold it: index, manifests, configurations, one layer each.
import { hex } from '../../kit/specimen/forgery.ts';

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const digest = (bytes: Uint8Array): string => `sha256:${hex(bytes)}`;

export interface ImageSpecimen {
  readonly reference: string;
  readonly digest: string;
  readonly platforms: readonly { name: string; manifest: string; config: string; layer: string }[];
  /** Name and bytes, as `evidence image` writes them. */
  readonly files: readonly (readonly [string, Buffer])[];
}

export function imageSpecimen(salt = '', repository = 'registry.example/acme/server'): ImageSpecimen {
  const parts = ['amd64', 'arm64'].map((architecture) => {
    const layer = `sha256:${hex(`layer ${architecture} ${salt}`)}`;
    const config = json({
      architecture,
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [layer] },
      config: {},
    });
    const manifest = json({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: digest(config),
        size: config.length,
      },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: layer, size: 10 }],
    });
    return { architecture, layer, config, manifest };
  });
  const index = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: parts.map(({ architecture, manifest }) => ({
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: digest(manifest),
      size: manifest.length,
      platform: { os: 'linux', architecture },
    })),
  });
  return {
    reference: `${repository}@${digest(index)}`,
    digest: digest(index),
    platforms: parts.map((one) => ({
      name: `linux/${one.architecture}`,
      manifest: digest(one.manifest),
      config: digest(one.config),
      layer: one.layer,
    })),
    files: [
      ['index.json', index],
      ...parts.flatMap(
        ({ architecture, manifest, config }) =>
          [
            [`manifest-${architecture}.json`, manifest],
            [`config-${architecture}.json`, config],
          ] as const,
      ),
    ],
  };
}
