// A declaration for the six things that can enforce it. Each says what it cannot.
import type { Egress } from '../declaration.ts';
import { cilium } from './cilium.ts';
import { envoy } from './envoy.ts';
import { istio } from './istio.ts';
import { networkPolicy } from './network-policy.ts';
import type { Rendered, Renderer, RenderOptions } from './renderer.ts';
import { smokescreen } from './smokescreen.ts';
import { squid } from './squid.ts';

export type { Rendered, RenderOptions } from './renderer.ts';

const RENDERERS = {
  networkpolicy: networkPolicy,
  cilium,
  istio,
  squid,
  smokescreen,
  envoy,
} as const satisfies Record<string, Renderer>;

export type Target = keyof typeof RENDERERS;
export const TARGETS = Object.keys(RENDERERS) as Target[];

/** Writes the declaration for a target, below comments that say what is lost. */
export function render({ allow }: Egress, target: Target, options: RenderOptions): Rendered {
  const { text, weaker } = RENDERERS[target](allow, options);
  const lost = weaker.map((line) => `# not enforced here: ${line}`);
  return { text: [...lost, text].join('\n'), weaker };
}
