// A behaviour fingerprint: what a release answers to three harmless prompts, and with which probabilities. A header is a claim that
// any proxy can make; a fingerprint can only be repeated by who runs the weights. The door of this room.

import { readOwn } from '../../document/own-json.ts';
import { SteelyardError } from '../../rules/error.ts';
import { type Release, tieOf } from '../run/release.ts';
import { divergenceOf } from '../statistics/divergence.ts';
import type { Sampling, Target, Token } from '../target/target.ts';
import { FINGERPRINT_SCHEMA, type Fingerprint, FingerprintSchema } from './fingerprint-schema.ts';

export type { Fingerprint } from './fingerprint-schema.ts';

/** They hold nothing that a trigger would be made of: a fingerprint shall differ because weights do, not because they were provoked. */
const PROMPTS = [
  'Please finish this sentence: The weather in spring is',
  'What is the name of a colour that you like?',
  'How do I write a short letter to a friend?',
];
const SAMPLING: Sampling = { temperature: 0, seed: 1, maxTokens: 16, topLogprobs: 5 };

interface FingerprintOptions {
  readonly release: Release;
  /** The engine of this process loaded the release's files, and they were hashed here. */
  readonly hashed?: boolean;
  readonly now: Date;
  readonly signal: AbortSignal;
}

/**
 * Asks the target twice and writes down what it answered and how far the two askings lay apart.
 *
 * @throws SteelyardError IO, TIMEOUT; USAGE: it gives no log-probabilities, or its headers name another release.
 */
export async function takeFingerprint(
  target: Target,
  { release, hashed = false, now, signal }: FingerprintOptions,
): Promise<Fingerprint> {
  const first = await asked(target, PROMPTS, SAMPLING, signal);
  const second = await asked(target, PROMPTS, SAMPLING, signal);
  const ties = new Set([...first, ...second].map(({ claims }) => tieOf(claims, release)));
  if (ties.has('other') || (ties.size > 1 && !hashed))
    throw new SteelyardError(
      'USAGE',
      "the target's headers name a different release than the MBOM; nothing was written",
    );
  return {
    schema: FINGERPRINT_SCHEMA,
    release,
    tie: hashed ? 'engine' : ties.has('header') ? 'header' : 'none',
    engine: first[0]!.engine,
    sampling: SAMPLING,
    floor: Math.max(...first.map(({ tokens }, i) => divergenceOf(tokens, second[i]!.tokens).js)),
    takenAt: now.toISOString(),
    answers: first.map(({ tokens }, i) => ({ prompt: PROMPTS[i]!, tokens: tokens.map(mutable) })),
  };
}

/** How a target behaves today, measured against the fingerprint of its release. */
export type FingerprintMatch =
  | {
      readonly comparable: true;
      readonly distance: number;
      readonly floor: number;
      readonly tolerance: number;
      readonly same: boolean;
    }
  | { readonly comparable: false; readonly reason: string };

/**
 * Asks a target the prompts of a fingerprint, twice.
 *
 * @param tolerance divergence that is still the same behaviour; default: ten times the larger floor, and at least 1e-10.
 * @returns not comparable where the engine is another one or the target disagrees with itself: then nothing is known.
 * @throws SteelyardError IO, TIMEOUT, USAGE.
 */
export async function matchFingerprint(
  target: Target,
  fingerprint: Fingerprint,
  { signal, tolerance: given }: { readonly signal: AbortSignal; readonly tolerance?: number },
): Promise<FingerprintMatch> {
  const prompts = fingerprint.answers.map(({ prompt }) => prompt);
  const first = await asked(target, prompts, fingerprint.sampling, signal);
  const engine = first[0]!.engine;
  if (engine !== fingerprint.engine) {
    const reason = `the engine is ${engine ?? 'unnamed'}, and the fingerprint was taken on ${fingerprint.engine ?? 'an unnamed one'}`;
    return { comparable: false, reason };
  }
  const second = await asked(target, prompts, fingerprint.sampling, signal);
  const most = (others: readonly { readonly tokens: readonly Token[] }[]): number =>
    Math.max(...first.map(({ tokens }, i) => divergenceOf(others[i]!.tokens, tokens).js));
  const floor = Math.max(fingerprint.floor, most(second));
  const tolerance = given ?? Math.max(TOLERANCE, 10 * floor);
  if (floor > (given ?? UNSTABLE))
    return {
      comparable: false,
      reason: `the target answers differently each time (floor ${floor.toExponential(1)})`,
    };
  const distance = most(fingerprint.answers);
  return { comparable: true, distance, floor, tolerance, same: distance <= tolerance };
}

/**
 * The same weights on the same engine give the same digits: 0, whatever the threads and batches; kernels for other processors differ
 * by 2e-13 at most. A plant that sleeps lies at 1e-9 and more, because no edit is exactly nothing (the table in docs/canary.md). What an
 * engine varies by itself, under load, the two askings show.
 */
const TOLERANCE = 1e-10;
const UNSTABLE = 1e-3;

/** Throws INVALID_DOCUMENT, LIMIT. */
export const parseFingerprint = (bytes: Uint8Array): Fingerprint =>
  readOwn(bytes, FingerprintSchema, 'fingerprint');

async function asked(target: Target, prompts: readonly string[], sampling: Sampling, signal: AbortSignal) {
  const answers = [];
  for (const prompt of prompts) {
    const answer = await target.ask([{ role: 'user', content: prompt }], sampling, signal);
    const { tokens } = answer;
    if (tokens === null || tokens.length === 0)
      throw new SteelyardError(
        'USAGE',
        'the target gives no log-probabilities: there is nothing to take a fingerprint of',
      );
    answers.push({ ...answer, tokens });
  }
  return answers;
}

const mutable = ([token, logprob, alternatives]: Token): Fingerprint['answers'][number]['tokens'][number] => [
  token,
  logprob,
  alternatives.map(([one, value]) => [one, value]),
];
