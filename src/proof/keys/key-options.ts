// What a key may be found with. The environment comes in from outside: nothing here reads it by itself.
import type { HttpOptions } from '../../source/http/http.ts';

export interface KeyOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  readonly http?: HttpOptions;
  /** Seconds that a program may take to answer. */
  readonly patience?: number;
}
