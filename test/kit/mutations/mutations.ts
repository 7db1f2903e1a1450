// Every way to change a model that tests know, honest and hostile. `docs/mutations.md` is made from this list.
import { CONVERTED } from './converted.ts';
import { DERIVED } from './derived.ts';
import { EXACT } from './exact.ts';
import { LORA } from './lora.ts';
import type { Mutation } from './mutation.ts';

export const MUTATIONS: readonly Mutation[] = [...EXACT, ...CONVERTED, ...DERIVED, ...LORA];
