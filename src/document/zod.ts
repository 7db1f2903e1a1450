// zod, where a document is read: it takes 50 ms to load, and most starts read none.
import type * as Zod from 'zod';
import { late } from '../runtime/loading.ts';

/** Schemas are made when they are asked for, and once: making them takes longer than most documents. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

export const zod = (): typeof Zod => late('zod');
