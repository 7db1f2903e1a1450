// Layouts and measurements → the profile. Pure: the same files give the same profile, whoever measured them and how.
import { createHash } from 'node:crypto';
import type { MetadataEntry, MetadataValue } from '../format/layout.ts';
import type { MeasuredFile } from '../measure/measured.ts';
import type { FileProfile, MetadataProfile, Profile, TemplateProfile, TensorProfile } from './profile.ts';
import { type FileTemplates, templateDigest } from './template/collect.ts';
import type { Template } from './template/template.ts';

/** `files` sorted by path; `templates` are what `templatesOf` found in each. */
export function buildProfile(files: readonly MeasuredFile[], templates: readonly FileTemplates[]): Profile {
  return {
    files: files.map((file, i) => fileProfile(file, templates[i]!)),
    tensors: files.flatMap(tensorProfiles),
  };
}

function fileProfile(file: MeasuredFile, { templates }: FileTemplates): FileProfile {
  const { entry, format, size, sha256, layout } = file;
  return {
    path: entry.path,
    format,
    size,
    sha256,
    tensorCount: layout?.tensors.length ?? 0,
    headerSize: layout?.headerSize ?? null,
    metadata: layout?.metadata.map(metadataProfile) ?? [],
    templates: templates.map(templateProfile),
    kind: file.kind,
    state: file.state,
  };
}

const templateProfile = ({ name, source, text }: Template): TemplateProfile => ({
  name,
  source,
  digest: templateDigest(text),
});

function tensorProfiles({ entry, layout, tensors }: MeasuredFile): TensorProfile[] {
  return (layout?.tensors ?? []).map(({ name, dtype, shape, start, end }, index) => {
    const measured = tensors[index];
    return {
      name,
      file: entry.path,
      dtype,
      shape,
      start,
      end,
      sha256: measured?.sha256 ?? null,
      stats: measured?.stats ?? null,
    };
  });
}

const SHOWN_MAX = 256; // characters of a value that stand in the profile itself

/** Long values (vocabularies, chat templates) are known by their digest. */
function metadataProfile({ key, type, value }: MetadataEntry): MetadataProfile {
  if (typeof value === 'object') return { key, type, count: value.items.length, digest: valueDigest(value) };
  if (typeof value === 'bigint') return { key, type, value: value.toString() };
  if (typeof value === 'number' && !Number.isFinite(value)) return { key, type, value: String(value) };
  if (typeof value !== 'string' || value.length <= SHOWN_MAX) return { key, type, value };
  return { key, type, size: Buffer.byteLength(value), digest: valueDigest(value) };
}

const CHUNK = 65_536;

/** Over the value itself, not its bytes in the file: the same vocabulary in another container has the same digest. */
function valueDigest(value: MetadataValue): string {
  const hash = createHash('sha256');
  digestInto(hash, value);
  return `sha256:${hash.digest('hex')}`;
}

// A string is hashed as its UTF-8 bytes, so that a template's digest can be checked with sha256sum; items of an array are
// set apart by their type and length.
function digestInto(hash: ReturnType<typeof createHash>, value: MetadataValue): void {
  if (typeof value !== 'object') {
    hash.update(String(value));
    return;
  }
  hash.update(`array ${value.elementType} ${value.items.length}\n`);
  // A vocabulary has 100,000 short items; a call for each would take longer than hashing them.
  let chunk = '';
  const flush = (): void => {
    hash.update(chunk);
    chunk = '';
  };
  for (const item of value.items) {
    if (typeof item === 'object') {
      flush();
      digestInto(hash, item);
      continue;
    }
    const text = String(item);
    chunk += `${Buffer.byteLength(text)}:${text}`;
    if (chunk.length >= CHUNK) flush();
  }
  flush();
}
