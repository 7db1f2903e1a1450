// What a key may be found with. The environment comes in from outside: nothing here reads it by itself.
export interface KeyOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
}
