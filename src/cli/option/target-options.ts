// The options that say what is asked: a server, or an engine in this process. An API key in an argument would stand in every
// process list, so only the name of its variable is taken.
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Release } from '../../canary/canary.ts';
import type { Target } from '../../canary/target/target.ts';
import type { Mbom } from '../../proof/bom/mbom.ts';
import { SteelyardError } from '../../rules/error.ts';
import { readInput } from './input.ts';
import { usage } from './trust-options.ts';

export interface TargetFlags {
  readonly target?: string;
  readonly engine?: string;
  readonly files?: string;
  readonly adapter?: readonly string[];
  readonly model?: string;
  readonly apiKeyEnv?: string;
  readonly header?: readonly string[];
  readonly insecure?: true;
  readonly timeout?: number;
  readonly rate?: number;
}

export const withTarget = (command: Command): Command =>
  command
    .option('--target <url>', 'a server that speaks the OpenAI chat API: http://127.0.0.1:8080/v1')
    .addOption(
      new Option('--engine <name>', 'run the files in this process instead').choices(['node-llama-cpp']),
    )
    .option('--files <gguf>', 'with --engine: the model (the first file of a split one)')
    .option('--adapter <gguf...>', 'with --engine: LoRA adapters')
    .option('--model <name>', "the model's name at the server; default: the first that it lists")
    .option('--api-key-env <variable>', 'the environment variable that holds the API key')
    .option('--header <header...>', 'sent with every question: "X-Replica: 1"')
    .option('--insecure', 'allow plain http to another machine')
    .option('--timeout <seconds>', 'for one answer; default 60', positive)
    .option('--rate <number>', 'questions in a second, at most', positive);

export function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('it must be a number above 0');
}

/** The target, and whether its files were hashed here and are the release's. Throws USAGE, IO, NOT_FOUND. */
export async function openTarget(
  flags: TargetFlags,
  mbom: Mbom | null,
  env: NodeJS.ProcessEnv,
): Promise<{ target: Target; hashed: boolean }> {
  const { engineTarget, httpTarget } = await import('../../canary/target/target.ts');
  if ((flags.target === undefined) === (flags.engine === undefined))
    throw usage('say what to ask: one of --target and --engine');
  if (flags.target !== undefined)
    return { target: httpTarget(flags.target, httpOptions(flags, env)), hashed: false };
  if (flags.files === undefined) throw usage('--engine needs --files, the GGUF file to run');
  const paths = [flags.files, ...(flags.adapter ?? [])];
  const before = paths.map(identity);
  if (mbom !== null) for (const path of paths) await assertListed(path, mbom);
  const target = await engineTarget(flags.files, { adapters: flags.adapter ?? [] });
  if (paths.some((path, i) => identity(path) !== before[i]))
    throw new SteelyardError('FILE_CHANGED', 'a file changed between hashing and loading it', {
      file: flags.files,
    });
  return { target, hashed: mbom !== null };
}

function httpOptions(flags: TargetFlags, env: NodeJS.ProcessEnv) {
  const { model, apiKeyEnv, insecure, timeout, rate, header = [] } = flags;
  const apiKey = apiKeyEnv === undefined ? undefined : env[apiKeyEnv];
  if (apiKeyEnv !== undefined && !apiKey) throw usage(`the environment variable ${apiKeyEnv} is not set`);
  return {
    ...(model === undefined ? {} : { model }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(insecure === undefined ? {} : { insecure }),
    ...(timeout === undefined ? {} : { timeout: timeout * 1000 }),
    ...(rate === undefined ? {} : { rate }),
    headers: Object.fromEntries(header.map(headerOf)),
  };
}

function headerOf(text: string): [string, string] {
  const [, name, value] = /^([\w-]+): *([\x20-\x7e]*)$/.exec(text) ?? [];
  if (name === undefined) throw usage('--header needs a name and a value: "X-Replica: 1"');
  return [name, value!];
}

/** A model file stands in the MBOM's list; an adapter there, or as the MBOM's adapter. */
async function assertListed(path: string, { files, adapter }: Mbom): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash).catch((cause) => {
    throw new SteelyardError('IO', `cannot read ${path}`, { file: path, cause });
  });
  const sha256 = hash.digest('hex');
  if (files.some((file) => file.sha256 === sha256) || adapter?.digest === `sha256:${sha256}`) return;
  throw new SteelyardError('USAGE', `the MBOM does not list ${path}: it is no file of this release`, {
    file: path,
  });
}

function identity(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) throw new SteelyardError('NOT_FOUND', `there is no file ${path}`, { file: path });
  return [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join();
}

/** Throws INVALID_MBOM and what readInput throws. */
export async function releaseIn(path: string): Promise<{ mbom: Mbom; release: Release }> {
  const [{ readMbom }, { releaseOf }] = await Promise.all([
    import('../../proof/bom/mbom-document.ts'),
    import('../../canary/canary.ts'),
  ]);
  const bytes = readInput(path, 'MBOM');
  const mbom = readMbom(bytes);
  return { mbom, release: releaseOf(bytes, mbom) };
}
