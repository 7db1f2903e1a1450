// Tensors or modules put in a grid of layers and modules, and the way around in it.

export interface Mark {
  readonly at: number;
  readonly name: string;
  readonly kind: string;
  /** −1: in no layer. */
  readonly layer: number;
  /** null: could not be compared. */
  readonly value: number | null;
}

export interface Cell {
  readonly kind: string;
  readonly layer: number;
  readonly marks: readonly Mark[];
  /** The one that the cell is coloured by: what changed most. */
  readonly foremost: Mark;
}

export interface Grid {
  readonly cells: readonly Cell[];
  readonly kinds: readonly string[];
  readonly layers: readonly number[];
  /** Cells that do not fit. */
  readonly left: number;
}

const ROWS = 40;
const COLUMNS = 200;

/** The rows and columns with the largest changes stay, in the order of the model. */
export function gridOf(marks: readonly Mark[]): Grid {
  const all = cellsOf(marks);
  const kinds = heaviest(all, ({ kind }) => kind, ROWS);
  const layers = heaviest(all, ({ layer }) => layer, COLUMNS);
  const cells = all.filter(({ kind, layer }) => kinds.has(kind) && layers.has(layer));
  return {
    cells,
    kinds: [...new Set(cells.map(({ kind }) => kind))],
    layers: layersOf(cells),
    left: all.length - cells.length,
  };
}

function cellsOf(marks: readonly Mark[]): Cell[] {
  const byPlace = new Map<string, Mark[]>();
  for (const mark of marks) {
    const place = `${mark.layer} ${mark.kind}`;
    const known = byPlace.get(place);
    if (known === undefined) byPlace.set(place, [mark]);
    else known.push(mark);
  }
  return [...byPlace.values()].map((here) => {
    const foremost = here.reduce((most, mark) => (weight(mark) > weight(most) ? mark : most));
    return { kind: foremost.kind, layer: foremost.layer, marks: here, foremost };
  });
}

const weight = ({ value }: Mark): number => value ?? Number.MAX_VALUE;

function heaviest<T>(cells: readonly Cell[], key: (cell: Cell) => T, limit: number): Set<T> {
  const most = new Map<T, number>();
  for (const cell of cells) most.set(key(cell), Math.max(most.get(key(cell)) ?? 0, weight(cell.foremost)));
  const ranked = [...most].sort(([, a], [, b]) => b - a).slice(0, limit);
  return new Set(ranked.map(([value]) => value));
}

/** Layers without a change have their column too, unless somebody numbered them to make the map useless. */
function layersOf(cells: readonly Cell[]): number[] {
  const found = [...new Set(cells.map(({ layer }) => layer))].sort((a, b) => a - b);
  const last = found.at(-1) ?? -1;
  if (last >= COLUMNS) return found;
  const all = Array.from({ length: last + 1 }, (_, layer) => layer);
  return found[0] === -1 ? [-1, ...all] : all;
}

/** Index of the next cell in the direction of an arrow key, −1 for none. */
export function neighbour({ cells, kinds, layers }: Grid, from: Cell, key: string): number {
  const across = (cell: Cell) => layers.indexOf(cell.layer) - layers.indexOf(from.layer);
  const down = (cell: Cell) => kinds.indexOf(cell.kind) - kinds.indexOf(from.kind);
  const distance = (cell: Cell): number => {
    if (key === 'ArrowRight') return down(cell) === 0 ? across(cell) : 0;
    if (key === 'ArrowLeft') return down(cell) === 0 ? -across(cell) : 0;
    // The nearest column of the next row that has a cell.
    if (key === 'ArrowDown') return down(cell) > 0 ? down(cell) * 1e4 + Math.abs(across(cell)) : 0;
    if (key === 'ArrowUp') return down(cell) < 0 ? -down(cell) * 1e4 + Math.abs(across(cell)) : 0;
    return 0;
  };
  let best = -1;
  cells.forEach((cell, index) => {
    const here = distance(cell);
    if (here > 0 && (best < 0 || here < distance(cells[best]!))) best = index;
  });
  return best;
}
