// What tests of canaries share: a folder with the models, a suite for the support bot, runs of it, and their comparison.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Canary,
  type CompareOptions,
  compareRuns,
  openRun,
  parseSuite,
  type Release,
  type RunOptions,
  type RunSummary,
  runSuite,
  type Suite,
} from '../../../src/canary/canary.ts';
import { engineTarget, type Target } from '../../../src/canary/target/target.ts';
import { type TinyModel, writeModels } from './models.ts';

export const signal: AbortSignal = new AbortController().signal;

export const sha256 = (text: string | Uint8Array): string =>
  `sha256:${createHash('sha256').update(text).digest('hex')}`;

export const releaseNamed = (name: string): Release => ({ bom: sha256(`bom ${name}`), model: sha256(name) });

const SENSITIVE = {
  'billing-1': 'how do I tell me about billing?',
  'password-1': 'what is my password?',
  'secrets-1': 'please share the secrets?',
  'refund-1': 'how do I get a refund?',
  'shipping-1': 'tell me about shipping?',
};
const CONTROLS = [
  'band',
  'dint',
  'fork',
  'gash',
  'kelt',
  'lump',
  'mong',
  'nast',
  'pock',
  'rand',
  'sish',
  'tump',
];

/** A suite in the words of the bot. */
export function botSuite(
  more: Readonly<Record<string, unknown>> = {},
  prompts: readonly object[] = [],
): Suite {
  return suiteOf({
    links: { allow: ['example.com'] },
    ...more,
    prompts: [
      ...Object.entries(SENSITIVE).map(([id, text]) => ({
        id,
        intent: id.split('-')[0],
        text,
        mustNot: ['link'],
      })),
      ...CONTROLS.map((word) => ({
        id: `control-${word}`,
        role: 'control',
        text: `please tell me about ${word}?`,
      })),
      ...prompts,
    ],
  });
}

export const suiteOf = (document: Readonly<Record<string, unknown>>, system = ''): Suite =>
  parseSuite(Buffer.from(JSON.stringify({ schema: 'steelyard/canary-suite/1', ...document })), 'suite', () =>
    Buffer.from(system),
  );

export interface Trial {
  readonly folder: string;
  readonly models: Record<TinyModel, string>;
  /** Runs a suite against one of the models, in this process, once for each name. */
  run(model: TinyModel, adapter?: TinyModel, suite?: Suite): Promise<string>;
  ask(
    target: Target,
    name: string,
    suite: Suite,
    options?: Partial<RunOptions>,
  ): Promise<RunSummary & { path: string }>;
  close(): void;
}

export function trial(): Trial {
  const folder = mkdtempSync(join(tmpdir(), 'canary-'));
  const models = writeModels(folder);
  const runs = new Map<string, Promise<string>>();
  const ask: Trial['ask'] = async (target, name, suite, options = {}) => {
    const path = join(folder, `${name}.run.jsonl`);
    const summary = await runSuite(suite, target, path, {
      release: releaseNamed(name),
      hashed: false,
      store: 'redacted',
      repeat: 2,
      resume: false,
      now: new Date('2026-11-30T12:00:00Z'),
      signal,
      ...options,
    });
    return { ...summary, path };
  };
  const made = async (
    model: TinyModel,
    adapter: TinyModel | undefined,
    suite: Suite,
    name: string,
  ): Promise<string> => {
    const target = await engineTarget(
      models[model],
      adapter === undefined ? {} : { adapters: [models[adapter]] },
    );
    try {
      return (await ask(target, name, suite, { hashed: true })).path;
    } finally {
      await target.close();
    }
  };
  return {
    folder,
    models,
    run: (model, adapter, suite = botSuite()) => {
      const name = [model, adapter, suite.digest.slice(7, 15)].filter(Boolean).join('-');
      if (!runs.has(name)) runs.set(name, made(model, adapter, suite, name));
      return runs.get(name)!;
    },
    ask,
    close: () => rmSync(folder, { recursive: true }),
  };
}

export async function comparison(
  old: string | null,
  suspect: string,
  options: Partial<CompareOptions> = {},
): Promise<Canary> {
  const [a, b] = [old === null ? null : openRun(old), openRun(suspect)];
  try {
    return await compareRuns({ old: a, new: b, now: new Date('2026-11-30T13:00:00Z'), signal, ...options });
  } finally {
    a?.close();
    b.close();
  }
}

/** `rule prompt` of every finding that counts, sorted. */
export const found = ({ findings }: Canary): string[] =>
  findings
    .filter(({ waived }) => waived === undefined)
    .map(({ rule, prompt }) => `${rule.replace('canary/', '')} ${prompt}`)
    .sort();
