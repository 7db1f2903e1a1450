// zod, where a document is read: it takes 50 ms to load, and most starts read none.
import type * as Zod from 'zod';
import { late } from '../runtime/loading.ts';

export const zod = (): typeof Zod => late('zod');
