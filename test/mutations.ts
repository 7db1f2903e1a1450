// Every way to change a model that tests know, honest and hostile. `docs/mutations.md` is made from this list.
import { CONVERTED } from './mutations/converted.ts';
import { DERIVED } from './mutations/derived.ts';
import { EXACT } from './mutations/exact.ts';
import { LORA } from './mutations/lora.ts';
import type { Mutation } from './mutations/mutation.ts';

export const MUTATIONS: readonly Mutation[] = [...EXACT, ...CONVERTED, ...DERIVED, ...LORA];
