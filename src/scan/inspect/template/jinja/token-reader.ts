// Reads tokens one after the other and builds nodes. Depth is bounded while descending and height while building, because a
// hundred thousand parentheses, or as many `~` in a row, are a cheap way to overflow the stack of whoever looks at them.
import type { Token } from './lexer.ts';
import type { Node } from './syntax.ts';
import { SyntaxFault } from './syntax-fault.ts';

/** Levels of brackets, operators and blocks. The deepest honest template known has about thirty. */
const MAX_DEPTH = 200;

/** A node without its height. */
type Bare<N> = N extends unknown ? Omit<N, 'height'> : never;

export class TokenReader {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** The token after the next one. */
  protected get following(): Token | undefined {
    return this.#tokens[this.#next + 1];
  }

  protected get token(): Token | undefined {
    return this.#tokens[this.#next];
  }

  protected take(): Token {
    const token = this.#tokens[this.#next++];
    if (token === undefined)
      throw new SyntaxFault('the template ends too early', this.#tokens.at(-1)?.at ?? 0);
    return token;
  }

  protected is(kind: Token['kind'], ...values: string[]): boolean {
    const token = this.token;
    return token?.kind === kind && (values.length === 0 || values.includes(token.value));
  }

  protected takeIf(kind: Token['kind'], ...values: string[]): boolean {
    const found = this.is(kind, ...values);
    if (found) this.#next++;
    return found;
  }

  protected expect(kind: Token['kind'], ...values: string[]): Token {
    const token = this.take();
    if (token.kind === kind && (values.length === 0 || values.includes(token.value))) return token;
    throw new SyntaxFault(`${values.join(' or ') || kind} is missing`, token.at);
  }

  /** Runs a reader one level deeper. */
  protected deeper<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw new SyntaxFault('nested too deep', this.token?.at ?? 0);
    const result = read();
    this.#depth--;
    return result;
  }

  protected node<N extends Bare<Node>>(bare: N, children: readonly (Node | null)[]): N & { height: number } {
    const height = 1 + children.reduce((most, child) => Math.max(most, child?.height ?? 0), 0);
    if (height > MAX_DEPTH) throw new SyntaxFault('nested too deep', bare.at);
    return { ...bare, height };
  }
}
