// The base's modules by the names that adapters give them: exactly, with a prefix more or less, or with the underscores that
// sd-scripts puts in place of dots.
import { quoted } from '../../../document/violations.ts';
import type { Spelling } from '../../adapter/module.ts';

interface Known {
  /** Of the base's module. */
  readonly name: string;
  /** 'after taking off "language_model."'; null: the names are the same. */
  readonly tolerated: string | null;
}

/** What a spelling puts before the names of a component: it is no part of them. */
const COMPONENT =
  /^(?:unet|transformer|transformer_2|text_encoder(?:_\d)?|diffusion_model|prior|controlnet)\./;
const KOHYA = /^(?:lora|lycoris)_(?:unet|te\d?|transformer|prior)_|^lycoris_/;

export class BaseNames {
  readonly #names: ReadonlySet<string>;
  /** What follows a dot of a name → the whole; of several, the first. */
  readonly #tails = new Map<string, string>();
  readonly #spelling: Spelling;

  constructor(tensors: readonly string[], spelling: Spelling) {
    this.#spelling = spelling;
    this.#names = new Set(tensors.map((name) => name.slice(0, Math.max(0, name.lastIndexOf('.')))));
    const isKohya = spelling === 'kohya';
    for (const name of this.#names)
      for (let at = 0; at >= 0; at = name.indexOf('.', at) + 1 || -1) {
        const tail = isKohya ? name.slice(at).replaceAll('.', '_') : name.slice(at);
        if (!this.#tails.has(tail)) this.#tails.set(tail, name);
      }
  }

  find(module: string): Known | undefined {
    if (this.#names.has(module)) return { name: module, tolerated: null };
    if (this.#spelling === 'kohya') {
      const name = this.#tails.get(module.replace(KOHYA, ''));
      return name === undefined ? undefined : { name, tolerated: null };
    }
    const plain = this.#spelling === 'diffusers' ? module.replace(COMPONENT, '') : module;
    if (this.#names.has(plain)) return { name: plain, tolerated: null };
    for (let at = plain.indexOf('.') + 1; at > 0; at = plain.indexOf('.', at) + 1) {
      const name = plain.slice(at);
      if (this.#names.has(name)) return { name, tolerated: `after taking off ${quoted(plain.slice(0, at))}` };
    }
    const name = this.#tails.get(plain);
    if (name === undefined) return undefined;
    return { name, tolerated: `after putting ${quoted(name.slice(0, -plain.length))} before them` };
  }
}
