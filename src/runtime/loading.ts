// What is loaded late: a gate starts once for every file, and most starts need little of all there is.
import { createRequire } from 'node:module';

let require: NodeJS.Require | undefined;

/** A package that few runs need, where it is first used. In a bundle that is CommonJS there is no import.meta.url: package.ts says so. */
export function late<T>(name: string): T {
  require ??= createRequire(import.meta.url);
  return require(name) as T;
}

/** A module that is needed once workers have read: what is wrong with it is said where it is needed, and not before. */
export function loading<T>(module: Promise<T>): Promise<T> {
  module.catch(() => undefined);
  return module;
}
