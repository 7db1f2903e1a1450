// What is loaded late: a gate starts once for every file, and most starts need little of all there is.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** A package that few runs need, where it is first used. */
export const late = <T>(name: string): T => require(name) as T;

/** A module that is needed once workers have read: what is wrong with it is said where it is needed, and not before. */
export function loading<T>(module: Promise<T>): Promise<T> {
  module.catch(() => undefined);
  return module;
}
