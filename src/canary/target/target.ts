// What answers staged prompts: a server that speaks the OpenAI chat API, or an engine in this process. The door of this room.

export { type EngineOptions, engineTarget } from './engine.ts';
export { type HttpOptions, httpTarget } from './http.ts';
export type { Answer, Claims, Finish, Message, Sampling, Target, Token } from './question.ts';
export { FINISHES } from './question.ts';
