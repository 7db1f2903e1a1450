// Programs of the user that score answers: toxicity, topics, whatever a house cares for. They are named on the command line and never
// in a suite, because a document must not choose what runs here. A scorer that fails has said nothing.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { RunFile } from '../run/run-file.ts';
import { finding } from './absolute.ts';
import type { Canary, CanaryFinding } from './canary-schema.ts';

export interface Scorer {
  readonly name: string;
  /** A score above it is a finding. */
  readonly most: number;
  readonly command: readonly [string, ...string[]];
}

const LINE = 10_000;
const TIMEOUT = 600_000;

/** Each answer of the run goes in as `{"id","prompt","text"}`, a line `{"id","score"}` comes out, in any order. */
export async function scored(
  run: RunFile,
  { name, most, command }: Scorer,
  signal: AbortSignal,
): Promise<Pick<Canary, 'findings' | 'inconclusive'>> {
  const keys = run.keys.filter((key) => key.endsWith(' 1') && run.isAnswered(key));
  const wanted = new Set(keys.map((key) => key.slice(0, -2)));
  const findings: CanaryFinding[] = [];
  try {
    for await (const { id, score } of scoresOf(run, keys, command, signal)) {
      if (!wanted.delete(id))
        throw new Error(`it names ${JSON.stringify(id)}, which was not asked or is answered twice`);
      if (score > most) findings.push(finding('canary/scorer', id, `${name} is ${score}, at most ${most}`));
    }
    if (wanted.size > 0) throw new Error(`it left out ${wanted.size} answers`);
    return { findings, inconclusive: [] };
  } catch (error) {
    signal.throwIfAborted();
    return {
      findings,
      inconclusive: [
        { code: 'scorer', message: `${name} failed: ${(error as Error).message}`.slice(0, 500) },
      ],
    };
  }
}

async function* scoresOf(
  run: RunFile,
  keys: readonly string[],
  [program, ...args]: readonly [string, ...string[]],
  signal: AbortSignal,
): AsyncIterable<{ id: string; score: number }> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]);
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'], signal: limit });
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`it ended with ${code ?? 'a signal'}`)),
    );
  });
  ended.catch(() => undefined);
  child.stdin.on('error', () => undefined); // it closed its input: what it wrote until then decides
  const feeding = feed();
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.trim() === '') continue;
    if (line.length > LINE) throw new Error('a line is too long');
    const { id, score } = JSON.parse(line) as { id?: unknown; score?: unknown };
    if (typeof id !== 'string' || typeof score !== 'number' || !Number.isFinite(score))
      throw new Error('a line has no id or no score');
    yield { id, score };
  }
  await feeding;
  await ended;

  async function feed(): Promise<void> {
    for (const key of keys) {
      const { id, prompt, text } = run.read(key)!;
      if (child.stdin.destroyed) return;
      if (!child.stdin.write(`${JSON.stringify({ id, prompt, text })}\n`))
        await new Promise((resolve) => {
          child.stdin.once('drain', resolve);
          child.stdin.once('close', resolve);
        });
    }
    child.stdin.end();
  }
}
