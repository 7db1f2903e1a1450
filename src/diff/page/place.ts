// Where in a network a tensor sits, read from its name. Only for drawing: nothing is concluded from it.

interface Spot {
  /** −1: in no layer. */
  readonly layer: number;
  /** The name with its numbers left open, so that the same part of every layer has the same one. */
  readonly module: string;
}

/** `layers.4294967295` must not make a picture of four billion columns. */
const LAYERS = 10_000;

/** The first segment that is a small number is the layer; the later ones count experts, blocks, parts of lists. */
export function spotOf(name: string): Spot {
  let layer = -1;
  const segments = name.split('.').map((segment) => {
    if (!/^\d{1,5}$/.test(segment) || Number(segment) >= LAYERS) return segment;
    if (layer < 0) layer = Number(segment);
    return '*';
  });
  return { layer, module: segments.join('.') };
}
