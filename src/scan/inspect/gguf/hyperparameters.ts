// The numbers that say how a model is built, against each other and against the tensors: loaders divide by them, and size
// arrays and buffers with them.

import { quoted, type Violations } from '../../../document/violations.ts';
import type { Layout, MetadataArray, MetadataEntry } from '../../format/layout.ts';
import { FILE_TYPES } from './file-type.ts';

export function checkHyperparameters(
  layout: Layout,
  entries: ReadonlyMap<string, MetadataEntry>,
  violations: Violations,
): void {
  new Hyperparameters(layout, entries, violations).check();
}

const MAX_BLOCKS = 512; // LLAMA_MAX_LAYERS
// Letters, digits and what real architectures have between them: keys, file names and commands are made of it.
const ARCHITECTURE = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/;
const LAYER = /^blk\.(\d{1,9})\./;
/** Keys of layers without attention: where one of them is there, a model without heads is an honest one. */
const HEADLESS = ['ssm.conv_kernel', 'ssm.state_size', 'wkv.head_size', 'shortconv.l_cache'];

class Hyperparameters {
  readonly #layout: Layout;
  readonly #entries: ReadonlyMap<string, MetadataEntry>;
  readonly #violations: Violations;
  readonly #architecture: string;

  constructor(layout: Layout, entries: ReadonlyMap<string, MetadataEntry>, violations: Violations) {
    this.#layout = layout;
    this.#entries = entries;
    this.#violations = violations;
    const name = entries.get('general.architecture')?.value;
    this.#architecture = typeof name === 'string' ? name : '';
  }

  check(): void {
    const entry = this.#entries.get('general.architecture');
    if (typeof entry?.value === 'string' && !ARCHITECTURE.test(entry.value)) {
      this.#violations.report('gguf/architecture', `general.architecture is ${quoted(entry.value)}`, {
        offset: entry.start,
      });
    }
    this.#checkBlocks();
    this.#checkHeads();
    const experts = this.#number('expert_count');
    const used = this.#number('expert_used_count');
    if (experts !== null && used !== null && used > experts) {
      this.#odd('expert_used_count', `uses ${used} experts of ${experts}`);
    }
    for (const key of ['image_mean', 'image_std'])
      this.#checkLength(`clip.vision.${key}`, (n) => n === 3, '3');
    this.#checkLength('clip.vision.image_grid_pinpoints', (n) => n % 2 === 0, 'an even number');
    this.#checkFileType();
  }

  #checkBlocks(): void {
    for (const { key, value, start } of this.#layout.metadata) {
      if (!key.endsWith('.block_count') || (typeof value !== 'number' && typeof value !== 'bigint')) continue;
      // Encoders without blocks exist (clip.vision of MobileNet); a model of its own without any does not.
      const least = key === `${this.#architecture}.block_count` ? 1 : 0;
      if (value >= least && value <= MAX_BLOCKS) continue;
      this.#violations.report('gguf/block-count', `${quoted(key)} is ${value}`, {
        offset: start,
        expected: `${least} to ${MAX_BLOCKS}`,
        actual: String(value),
      });
    }
    const blocks = this.#number('block_count');
    if (blocks === null) return;
    for (const { name, start } of this.#layout.tensors) {
      const layer = LAYER.exec(name)?.[1];
      if (layer === undefined || Number(layer) < blocks) continue;
      const message = `tensor ${quoted(name)} is of a layer that the ${blocks} of the model do not have`;
      this.#violations.report('gguf/layer-index', message, { offset: start, tensor: name });
    }
  }

  #checkHeads(): void {
    const heads = this.#perLayer('attention.head_count');
    if (heads === null) return;
    const kvHeads = this.#perLayer('attention.head_count_kv') ?? heads;
    const headless = HEADLESS.some((key) => this.#entries.has(`${this.#architecture}.${key}`));
    if (heads.length === 1 && heads[0] === 0 && !headless) this.#odd('attention.head_count', 'is 0');
    const layers = Math.max(heads.length, kvHeads.length);
    const blocks = this.#number('block_count');
    if (layers > 1 && blocks !== null && layers !== blocks) {
      this.#odd('attention.head_count', `has ${layers} elements for ${blocks} layers`);
    }
    for (let i = 0; i < layers; i++) {
      const [n, kv] = [heads[heads.length === 1 ? 0 : i] ?? 0, kvHeads[kvHeads.length === 1 ? 0 : i] ?? 0];
      // A layer may have no attention at all, then both are 0 or only the second.
      const lawful = n >= 0 && kv >= 0 && (kv === 0 ? n === 0 || layers > 1 || headless : n % kv === 0);
      if (lawful) continue;
      this.#odd('attention.head_count_kv', `has ${n} heads for ${kv} of keys and values`);
      break;
    }
    const size = this.#number('embedding_length');
    const [n] = heads;
    // GLM-4.5 has 5120 / 96, and says how long a head is.
    const said = this.#entries.has(`${this.#architecture}.attention.key_length`);
    if (heads.length === 1 && n !== undefined && n > 0 && size !== null && !said && size % n !== 0) {
      this.#odd('embedding_length', `is ${size}, which ${n} heads do not divide`);
    }
  }

  #checkLength(key: string, lawful: (length: number) => boolean, expected: string): void {
    const entry = this.#entries.get(key);
    if (typeof entry?.value !== 'object' || lawful(entry.value.items.length)) return;
    const actual = String(entry.value.items.length);
    this.#violations.report('gguf/array-length', `${quoted(key)} has ${actual} elements`, {
      offset: entry.start,
      expected,
      actual,
    });
  }

  /** Only said: the type of most tensors goes by names that change meaning from release to release. */
  #checkFileType(): void {
    const entry = this.#entries.get('general.file_type');
    const due = typeof entry?.value === 'number' ? FILE_TYPES.get(entry.value) : undefined;
    const { tensors } = this.#layout;
    if (entry === undefined || due === undefined || tensors.length === 0 || this.#entries.has('split.count'))
      return;
    if (tensors.some(({ dtype }) => due.includes(dtype))) return;
    this.#violations.report('gguf/file-type', 'no tensor is of the type that general.file_type promises', {
      offset: entry.start,
      expected: due.join(' or '),
      actual: [...new Set(tensors.map(({ dtype }) => dtype))].slice(0, 8).join(', '),
    });
  }

  #number(key: string): number | null {
    const value = this.#entries.get(`${this.#architecture}.${key}`)?.value;
    return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : null;
  }

  #perLayer(key: string): number[] | null {
    const value = this.#entries.get(`${this.#architecture}.${key}`)?.value;
    if (typeof value === 'number' || typeof value === 'bigint') return [Number(value)];
    return typeof value === 'object' ? (value as MetadataArray).items.map(Number) : null;
  }

  #odd(key: string, message: string): void {
    const full = `${this.#architecture}.${key}`;
    const offset = this.#entries.get(full)?.start;
    this.#violations.report('gguf/hyperparameter', `${quoted(full)} ${message}`, {
      ...(offset === undefined ? {} : { offset }),
    });
  }
}
