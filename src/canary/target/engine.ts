// A target in this process: llama.cpp by the optional peer node-llama-cpp, for people who have files and no server. One thread,
// because ggml's threads spin where cores are busy, and because the same sums in the same order give the same digits.
import { SteelyardError } from '../../rules/error.ts';
import { peer } from '../../runtime/peer.ts';
import { templateDigest } from './answer.ts';
import type { Answer, Finish, Message, Sampling, Target, Token } from './question.ts';

export interface EngineOptions {
  /** GGUF adapters, in order. */
  readonly adapters?: readonly string[];
  /** Tokens of prompt and answer; default 2048, or what the model was made for. */
  readonly contextSize?: number;
}

// The part of the peer that is used, as its 3.21.1 declares it.
interface Peer {
  getLlama(options: object): Promise<{
    loadModel(options: { modelPath: string }): Promise<Model>;
    llamaCppRelease: { release: string };
    dispose(): Promise<void>;
  }>;
  resolveChatWrapper(model: Model): {
    generateContextState(options: { chatHistory: object[] }): {
      contextText: { tokenize(tokenizer: unknown): number[] };
    };
  };
}
interface Model {
  readonly tokenizer: unknown;
  readonly trainContextSize: number;
  readonly fileInfo: { readonly metadata: { readonly tokenizer?: { readonly chat_template?: unknown } } };
  createContext(options: object): Promise<{ getSequence(): Sequence }>;
  detokenize(tokens: readonly number[], special?: boolean, last?: readonly number[]): string;
  isEogToken(token: number): boolean;
}
interface Sequence {
  clearHistory(): Promise<void>;
  evaluateWithMetadata(
    tokens: readonly number[],
    metadata: { probabilities: boolean },
    options: object,
  ): AsyncIterable<{ token: number; probabilities?: ReadonlyMap<number, number> }>;
}

const CONTEXT = 2048;

/** Throws USAGE where the peer is missing, IO where the model cannot be loaded. */
export async function engineTarget(
  path: string,
  { adapters = [], contextSize = CONTEXT }: EngineOptions = {},
): Promise<Target> {
  const { getLlama, resolveChatWrapper } = await peer<Peer>('node-llama-cpp', 'the engine node-llama-cpp');
  // Never compiled and never downloaded: what runs is what was installed.
  const llama = await getLlama({ build: 'never', gpu: false, logLevel: 'error' });
  const { model, sequence } = await loaded().catch((cause) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SteelyardError('IO', `the engine cannot load the model: ${reason}`, { file: path, cause });
  });
  const chat = resolveChatWrapper(model);
  const engine = `node-llama-cpp llama.cpp ${llama.llamaCppRelease.release}`;

  async function loaded() {
    const model = await llama.loadModel({ modelPath: path });
    const context = await model.createContext({
      contextSize: Math.min(contextSize, model.trainContextSize),
      threads: 1,
      ...(adapters.length === 0 ? {} : { lora: { adapters: adapters.map((filePath) => ({ filePath })) } }),
    });
    return { model, sequence: context.getSequence() };
  }

  async function ask(messages: readonly Message[], sampling: Sampling, signal: AbortSignal): Promise<Answer> {
    const since = performance.now();
    await sequence.clearHistory();
    const { contextText } = chat.generateContextState({ chatHistory: historyOf(messages) });
    const { finish, ids, tokens } = await generated(contextText.tokenize(model.tokenizer), sampling, signal);
    return {
      text: model.detokenize(ids).trim(),
      reasoning: null,
      finish,
      tokens,
      toolCalls: [],
      claims: {},
      engine,
      ms: Math.round(performance.now() - since),
      attempts: 1,
    };
  }

  async function generated(
    prompt: readonly number[],
    { temperature, seed, maxTokens, topLogprobs }: Sampling,
    signal: AbortSignal,
  ): Promise<{ finish: Finish; ids: number[]; tokens: Token[] }> {
    const ids: number[] = [];
    const tokens: Token[] = [];
    const options = { temperature, seed, yieldEogToken: true, topK: 0, topP: 1, minP: 0 };
    for await (const { token, probabilities } of sequence.evaluateWithMetadata(
      prompt,
      { probabilities: true },
      options,
    )) {
      if (signal.aborted) throw new SteelyardError('ABORTED', 'interrupted', { cause: signal.reason });
      tokens.push(entry(token, probabilities!, topLogprobs));
      if (model.isEogToken(token)) return { finish: 'stop', ids, tokens };
      ids.push(token);
      if (ids.length >= maxTokens) break;
    }
    return { finish: 'length', ids, tokens };
  }

  /** The map of the peer is sorted, the likeliest first. */
  function entry(token: number, probabilities: ReadonlyMap<number, number>, most: number): Token {
    const alternatives: [string, number][] = [];
    for (const [other, probability] of probabilities) {
      if (alternatives.length === most) break;
      alternatives.push([spelled(other), logOf(probability)]);
    }
    return [spelled(token), logOf(probabilities.get(token)!), alternatives];
  }

  const spelling = new Map<number, string>();
  function spelled(token: number): string {
    const known = spelling.get(token);
    if (known !== undefined) return known;
    const text = model.detokenize([token], true, [token]);
    spelling.set(token, text);
    return text;
  }

  return {
    name: 'node-llama-cpp',
    ask,
    template: async () => templateDigest(model.fileInfo.metadata.tokenizer?.chat_template),
    close: () => llama.dispose(),
  };
}

const logOf = (probability: number): number => Math.max(Math.log(probability), -9999);

const historyOf = (messages: readonly Message[]): object[] => [
  ...messages.map(({ role, content }) => ({ type: role, text: content })),
  { type: 'model', response: [] },
];
