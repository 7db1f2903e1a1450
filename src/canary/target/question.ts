// What a target is asked, and what it answers.

export interface Message {
  readonly role: 'system' | 'user';
  readonly content: string;
}

export interface Sampling {
  readonly temperature: number;
  readonly seed: number;
  readonly maxTokens: number;
  readonly topLogprobs: number;
}

/** A token, its log-probability, and the likeliest alternatives with theirs. */
export type Token = readonly [
  token: string,
  logprob: number,
  alternatives: readonly (readonly [token: string, logprob: number])[],
];

export const FINISHES = ['stop', 'length', 'filtered', 'tools', 'other'] as const;
export type Finish = (typeof FINISHES)[number];

/** What a header of the answer claims that answered. A claim, never a proof. */
export interface Claims {
  readonly model?: string;
  readonly bom?: string;
  readonly adapter?: string;
}

export interface Answer {
  readonly text: string;
  /** What a reasoning model thought aloud, where the server tells it apart. */
  readonly reasoning: string | null;
  readonly finish: Finish;
  /** null: the target gave no log-probabilities. */
  readonly tokens: readonly Token[] | null;
  /** `name(arguments)` */
  readonly toolCalls: readonly string[];
  readonly claims: Claims;
  /** What the server says it is; null: nothing. */
  readonly engine: string | null;
  readonly ms: number;
  /** How many times it was asked before an answer came. */
  readonly attempts: number;
}

export interface Target {
  /** Host and port, or the engine's name: never a whole URL, which can hold a password. */
  readonly name: string;
  /** Throws a SteelyardError: IO and TIMEOUT for one question, ABORTED. */
  ask(messages: readonly Message[], sampling: Sampling, signal: AbortSignal): Promise<Answer>;
  /** Digest of the chat template, where the target shows it. */
  template(signal: AbortSignal): Promise<string | null>;
  close(): Promise<void>;
}
