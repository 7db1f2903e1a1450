// What the values of the metadata carry. They are free text that every program copies along and hardly anyone reads: room for
// a payload, for a script, and for configuration that a library takes as its own.

import { quoted, type Violations } from '../../../document/violations.ts';
import { recognize } from '../../format/disguise/magic.ts';
import type { Layout, MetadataEntry } from '../../format/layout.ts';
import { encodedIn } from '../names/encoded.ts';
import { inspectConfig } from './config.ts';

export function inspectMetadata(layout: Layout, violations: Violations): void {
  for (const entry of layout.metadata) {
    if (typeof entry.value === 'string') checkText(entry, entry.value, violations);
    else if (typeof entry.value === 'object' && /^[ui]8$/.test(entry.value.elementType)) {
      checkBytes(entry, Buffer.from(Uint8Array.from(entry.value.items, Number)), 'holds', violations);
    }
  }
  inspectConfig(layout, violations);
}

const LARGE = 65_536;
// Vocabularies, templates, importance matrices; what trainers of LoRA adapters, ComfyUI and ModelSpec are known to store.
const LARGE_KEYS =
  /^(tokenizer[._]|imatrix|quantize\.|ss_|sd_|modelspec\.thumbnail$|prompt$|workflow$|config$|training_info$|_quantization_metadata$|lora_adapter_metadata$)/;
/** Templates have an inspector of their own, and a vocabulary holds every word there is: `<script` is a token of GPT-2. */
const OWN_KEYS = /(^|[._])chat_template/;
const VOCABULARY_KEYS = /^tokenizer(\.|$)/;
const LINK_KEYS =
  /(^modelspec\.|software|training_info|url|link|license|licence|repo|homepage|website|source|doi|author|organization|description|documentation|citation|thumbnail)/i;
const PATH_KEYS = /(^|[._])(\w*_)?(path|file|dir|folder|filename)$/i;

const SCRIPT =
  /\bjavascript:\S|<script\b|\bdata:(?!image\/(?:png|jpe?g|webp|gif)[;,])[a-z]{1,32}\/[a-z0-9.+-]{1,64}[;,]/i;
const LINK = /\bhttps?:\/\/[^\s"'<>\\]{3,200}/i;
const OUTSIDE = /(^|[\\/])\.\.([\\/]|$)|^\\\\[^\\]|^file:|^~[\\/]/i;
const SHOWN_BYTES = 1_048_576;

function checkText(entry: MetadataEntry, value: string, violations: Violations): void {
  const { start: offset } = entry;
  const place = { offset };
  // A longer key is none of those that mean something, and has a finding of its own.
  const key = entry.key.slice(0, MAX_KEY);
  const size = Buffer.byteLength(value);
  if (size > LARGE && !LARGE_KEYS.test(key)) {
    violations.report('metadata/large', `${quoted(key)} has ${size} bytes`, {
      ...place,
      expected: `at most ${LARGE}`,
      actual: String(size),
    });
  }
  if (OWN_KEYS.test(key)) return;
  const vocabulary = VOCABULARY_KEYS.test(key);
  if (NOT_PLAIN.test(value))
    checkBytes(entry, Buffer.from(value.slice(0, SHOWN_BYTES), 'latin1'), 'holds', violations);
  for (const { how, bytes, plain } of encodedIn(value)) {
    if (checkBytes(entry, bytes, `holds, as ${how},`, violations) || plain || vocabulary) continue;
    violations.report('metadata/encoded', `${quoted(key)} holds ${bytes.length} bytes as ${how}`, place);
  }
  if (vocabulary) return;
  const script = SCRIPT.exec(value)?.[0];
  if (script !== undefined) {
    violations.report(
      'metadata/script',
      `${quoted(key)} holds what a browser would run: ${quoted(script)}`,
      place,
    );
  }
  const link = LINK_KEYS.test(key) ? undefined : LINK.exec(value)?.[0];
  if (link !== undefined)
    violations.report('metadata/link', `${quoted(key)} links to ${quoted(link)}`, place);
  if (PATH_KEYS.test(key) && OUTSIDE.test(value)) {
    violations.report('metadata/path', `${quoted(key)} leads to ${quoted(value)}`, place);
  }
}

/** No file of another format is one line of printable ASCII, but for the first line of a PDF or of a script. */
const NOT_PLAIN = /[^ -~]|%PDF-|^#!/;
const MAX_KEY = 512;

/** Whether the bytes are a file of another format. */
function checkBytes(entry: MetadataEntry, bytes: Buffer, how: string, violations: Violations): boolean {
  const found = recognize(bytes);
  if (found === null || found.what === 'a PNG image') return found !== null;
  violations.report('metadata/payload', `${quoted(entry.key)} ${how} ${found.what}`, {
    offset: entry.start,
    actual: found.what,
  });
  return true;
}
