// Which modules an adapter's configuration selects, and with which rank and scale: PEFT's check_target_module_exists and
// get_pattern_key (src/peft/tuners/tuners_utils.py, src/peft/utils/other.py).
import type { AdapterConfig } from './adapter-config.ts';
import type { Patterns } from './expression.ts';
import { FirstMatch } from './first-match.ts';

interface Scale {
  readonly rank: number;
  readonly alpha: number;
  /** What B·A is multiplied by. */
  readonly scale: number;
}

export class Selection {
  readonly #config: AdapterConfig;
  readonly #targets: Match;
  readonly #excluded: Match;
  readonly #parameters: ReadonlySet<string>;
  readonly #ranks: FirstMatch;
  readonly #alphas: FirstMatch;

  constructor(config: AdapterConfig, patterns: Patterns) {
    this.#config = config;
    const { targets, excluded } = config;
    this.#targets = targets === 'all-linear' ? isLinear : matcher(targets, patterns);
    this.#excluded = excluded === null ? () => false : matcher(excluded, patterns);
    this.#parameters = new Set(
      config.parameters.map((name) => name.slice(0, Math.max(0, name.lastIndexOf('.')))),
    );
    this.#ranks = new FirstMatch(config.ranks, patterns);
    this.#alphas = new FirstMatch(config.alphas, patterns);
  }

  /** null: it cannot be told. */
  selects(module: string): boolean | null {
    if (this.hasExperts(module)) return true;
    const excluded = this.#excluded(module);
    const selected = this.#targets(module);
    if (excluded === true || selected === false) return false;
    return excluded === null || selected === null ? null : this.#inLayers(module);
  }

  /** null: it cannot be told. */
  scaleOf(module: string): Scale | null {
    const rank = this.#ranks.valueOf(module, this.#config.r);
    const alpha = this.#alphas.valueOf(module, this.#config.alpha);
    if (rank === null || alpha === null) return null;
    return { rank, alpha, scale: alpha / (this.#config.rsLora ? Math.sqrt(rank) : rank) };
  }

  /** Patterns for ranks and scales that decided nothing, once all modules were asked for. */
  unused(): string[] {
    return [...new Set([...this.#ranks.unused(), ...this.#alphas.unused()])];
  }

  /** Its update is one of a parameter with a dimension of experts, each with the rank: factors are so many times as long. */
  hasExperts(module: string): boolean {
    const plain = module.replaceAll('.base_layer', '');
    return this.#parameters.size > 0 && tails(plain).some((tail) => this.#parameters.has(tail));
  }

  /** Layers are selected by the number behind the first named list, and only where targets are a list. */
  #inLayers(module: string): boolean | null {
    const { layers, layersPattern, targets } = this.#config;
    if (layers === null || typeof targets === 'string') return true;
    if (layersPattern.some((pattern) => !/^\w+$/.test(pattern))) return null;
    const segments = module.split('.');
    const at = segments.findIndex(
      (segment, i) =>
        i >= 2 &&
        i < segments.length - 1 &&
        /^\d+$/.test(segment) &&
        (layersPattern.length === 0 || layersPattern.includes(segments[i - 1]!)),
    );
    return at >= 0 && layers.includes(Number(segments[at]));
  }
}

type Match = (module: string) => boolean | null;

function matcher(wanted: string | readonly string[] | null, patterns: Patterns): Match {
  if (wanted === null) return () => null;
  if (typeof wanted === 'string') return patterns.whole(wanted);
  const names = new Set(wanted);
  return (module) => tails(module).some((tail) => names.has(tail));
}

/** A name and all that follows one of its dots: what a list of exact names or suffixes can hold of it. */
function tails(module: string): string[] {
  const found = [module];
  for (let at = module.indexOf('.'); at >= 0; at = module.indexOf('.', at + 1))
    found.push(module.slice(at + 1));
  return found;
}

// The output head and embeddings are not among what PEFT takes for 'all-linear'.
const isLinear: Match = (module) => !EMBEDDINGS.has(module.slice(module.lastIndexOf('.') + 1));

/** Last segments under which the common families keep their token embeddings and output heads. */
export const EMBEDDINGS: ReadonlySet<string> = new Set([
  'embed_tokens',
  'lm_head',
  'wte',
  'word_embeddings',
  'embed_in',
  'embed_out',
  'shared',
]);
