// The generator that numpy calls default_rng: SeedSequence, PCG64 (XSL-RR), normal values by a ziggurat of 256 layers. A model
// made of it is the same, bit for bit, as one that a script in Python makes.

const MASK64 = (1n << 64n) - 1n;
const MASK128 = (1n << 128n) - 1n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;

/** Normal values with mean 0 and deviation 1. */
export function normals(seed: number): () => number {
  const next = pcg64(seed);
  const double = (): number => Number(next() >> 11n) * 2 ** -53;
  return () => {
    for (;;) {
      const bits = next();
      const layer = Number(bits & 0xffn);
      const mantissa = Number((bits >> 9n) & 0xfffffffffffffn);
      const x = mantissa * WIDTH[layer]! * ((bits >> 8n) & 1n ? -1 : 1);
      if (mantissa < INSIDE[layer]!) return x;
      if (layer === 0) return tail(double) * ((bits >> 17n) & 1n ? -1 : 1);
      const height = (HEIGHT[layer - 1]! - HEIGHT[layer]!) * double() + HEIGHT[layer]!;
      if (height < Math.exp(-0.5 * x * x)) return x;
    }
  };
}

/** Whole numbers below `most`; for choices, and not numpy's own. */
export function choices(seed: number): (most: number) => number {
  const next = pcg64(seed);
  return (most) => Number(next() % BigInt(most));
}

function tail(double: () => number): number {
  for (;;) {
    const x = -Math.log1p(-double()) / LAST;
    const y = -Math.log1p(-double());
    if (y + y > x * x) return LAST + x;
  }
}

function pcg64(seed: number): () => bigint {
  const [high, low, incHigh, incLow] = seedWords(seed);
  const increment = ((((incHigh! << 64n) | incLow!) << 1n) | 1n) & MASK128;
  const step = (state: bigint): bigint => (state * MULTIPLIER + increment) & MASK128;
  let state = step((increment + ((high! << 64n) | low!)) & MASK128);
  return () => {
    state = step(state);
    const folded = (state >> 64n) ^ (state & MASK64);
    const turn = state >> 122n;
    return ((folded >> turn) | (folded << (64n - turn))) & MASK64;
  };
}

/** SeedSequence(seed).generate_state(4, uint64). */
function seedWords(seed: number): bigint[] {
  let constant = 0x43b0d7e5;
  const hashed = (value: number): number => {
    const mixed = value ^ constant;
    constant = Math.imul(constant, 0x931e8875);
    return shifted(Math.imul(mixed, constant));
  };
  const pool = [seed, 0, 0, 0].map(hashed);
  for (let from = 0; from < 4; from++)
    for (let to = 0; to < 4; to++)
      if (from !== to) {
        const left = Math.imul(0xca01f9dd, pool[to]!);
        pool[to] = shifted(left - Math.imul(0x4973f715, hashed(pool[from]!)));
      }
  constant = 0x8b51f9dd;
  const words = Array.from({ length: 8 }, (_, i) => {
    const mixed = pool[i % 4]! ^ constant;
    constant = Math.imul(constant, 0x58f38ded);
    return BigInt(shifted(Math.imul(mixed, constant)) >>> 0);
  });
  return [0, 2, 4, 6].map((i) => words[i]! | (words[i + 1]! << 32n));
}

const shifted = (value: number): number => value ^ (value >>> 16);

// Marsaglia and Tsang 2000, with the constants of Doornik: 256 layers of equal area.
const LAST = 3.6541528853610088;
const AREA = 0.004928673233974658; // of the tail: LAST·exp(−LAST²/2) + √(π/2)·erfc(LAST/√2)
const SCALE = 2 ** 52;
const WIDTH = new Float64Array(256);
const HEIGHT = new Float64Array(256);
const INSIDE = new Float64Array(256);
fillLayers();

function fillLayers(): void {
  let edge = LAST;
  HEIGHT[255] = Math.exp(-0.5 * edge * edge);
  WIDTH[255] = edge / SCALE;
  INSIDE[0] = Math.floor(((edge * HEIGHT[255]!) / AREA) * SCALE);
  WIDTH[0] = AREA / HEIGHT[255]! / SCALE;
  HEIGHT[0] = 1;
  for (let i = 254; i > 0; i--) {
    const x = Math.sqrt(-2 * Math.log(AREA / edge + HEIGHT[i + 1]!));
    INSIDE[i + 1] = Math.floor((x / edge) * SCALE);
    WIDTH[i] = x / SCALE;
    HEIGHT[i] = Math.exp(-0.5 * x * x);
    edge = x;
  }
  INSIDE[1] = 0;
}
