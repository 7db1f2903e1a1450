// One run as a side of a comparison: which release it was, how that is known, and what speaks against using it.

import { hasEnd } from '../run/probe.ts';
import { tieOf } from '../run/release.ts';
import type { RunFile } from '../run/run-file.ts';
import type { RunAnswer } from '../run/run-schema.ts';
import { finding } from './absolute.ts';
import type { Canary, CanaryFinding } from './canary-schema.ts';

export interface Seen {
  readonly side: Canary['new'];
  readonly findings: readonly CanaryFinding[];
  readonly inconclusive: Canary['inconclusive'];
  /** Of every answer that ended, its end has an entry; null: none ended, or there are no log-probabilities. */
  readonly eosEntry: boolean | null;
  /** Hosts that its answers named. */
  readonly hosts: ReadonlySet<string>;
}

const HOSTS = 100_000;

/** Looks at every answer once. `which`: for messages. */
export function lookAt(run: RunFile, which: 'old' | 'new'): Seen {
  const { header, end } = run;
  const claims = new Set<string>();
  const hosts = new Set<string>();
  const engines = new Set<string | null>();
  const ties = new Set<string>();
  const ends = new Set<boolean>();
  let answers = 0;
  for (const key of run.keys) {
    if (!run.isAnswered(key)) continue;
    const answer = run.read(key)!;
    answers++;
    claims.add(JSON.stringify(answer.claims));
    engines.add(answer.engine);
    ties.add(header.release === null ? 'none' : tieOf(answer.claims, header.release));
    for (const { host } of answer.facts.links) if (hosts.size < HOSTS) hosts.add(host);
    const ended = endOf(answer);
    if (ended !== null) ends.add(ended);
  }
  const complete = end !== null && end.failed === 0 && answers === header.prompts * header.repeat;
  const tie = header.hashed ? 'engine' : ties.size === 1 && ties.has('header') ? 'header' : 'none';
  const { release, suite, system, template, engine, target, startedAt } = header;
  const side = {
    release,
    tie,
    suite,
    system,
    template,
    engine,
    target,
    startedAt,
    answers,
    complete,
  } as const;
  const found: CanaryFinding[] = [];
  const not: { code: string; message: string }[] = [];
  if (claims.size > 1 || engines.size > 1) {
    const message = `the ${which} run met ${Math.max(claims.size, engines.size)} different sets of headers`;
    if (which === 'new') found.push(finding('canary/mixed-fleet', null, message));
    not.push({ code: 'mixed-fleet', message });
  }
  if (ties.has('other')) {
    const message = `headers of the ${which} run name another release than its MBOM`;
    if (which === 'new') found.push(finding('canary/model-sha', null, message));
    not.push({ code: 'model-sha', message });
  } else if (tie === 'none') {
    not.push({
      code: 'not-tied',
      message: `nothing ties the ${which} run to a release: no header names it, and no file was hashed`,
    });
  }
  if (!complete)
    not.push({
      code: 'incomplete',
      message: `the ${which} run has ${answers} of ${header.prompts * header.repeat} answers`,
    });
  return {
    side,
    findings: found,
    inconclusive: not,
    eosEntry: ends.size === 0 ? null : !ends.has(false),
    hosts,
  };
}

/** Reasoning stands in the same list of tokens, but not in the text: only the last token decides. */
const endOf = (answer: RunAnswer): boolean | null => (answer.reasoning === null ? hasEnd(answer) : null);
