// What is needed after a model was read is loaded while workers read it.

/** What is wrong with a module is said where it is needed, and not before. */
export function loading<T>(module: Promise<T>): Promise<T> {
  module.catch(() => undefined);
  return module;
}
