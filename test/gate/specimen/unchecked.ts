// A module hook that makes every place in src/gate and src/proof that denies something a place that a test can switch off: `deny(…)` and
// `refuse(…)` then return and the code behind them goes on, and a denial as data gets a code that is none.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

interface Loaded {
  readonly format: string;
  readonly source?: string;
  readonly shortCircuit?: boolean;
}

export async function load(
  url: string,
  context: unknown,
  next: (url: string, context: unknown) => Promise<Loaded>,
): Promise<Loaded> {
  if (!/\/out\/src\/(gate|proof)\//.test(url)) return next(url, context);
  const text = await readFile(fileURLToPath(url), 'utf8');
  const site = (at: number): string => JSON.stringify(`${url.replace(/.*\/src\//, '')}:${at}`);
  const source = text
    .replace(
      /(?<!function |[\w.$#])(deny|refuse)\(/g,
      (_, name, at: number) => `globalThis.steelyardCheck(${site(at)}, ${name})(`,
    )
    .replace(
      /\bcode: ((['"])[A-Z_]+\2)/g,
      (_, code: string, _quote, at: number) => `code: globalThis.steelyardDenial(${site(at)}, ${code})`,
    );
  return { format: 'module', source, shortCircuit: true };
}
