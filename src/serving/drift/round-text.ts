// A round for people: a line for each target, what was not looked at, and the verdict.
import { inert } from '../../document/text/inert.ts';
import { WITNESSES } from './look/witness.ts';
import type { RoundRecord, TargetRecord } from './record.ts';

const VERDICTS = ['NO DRIFT', 'DRIFTED', 'NO VERDICT'] as const;

export function roundText({ targets, stopped, exitCode, releases }: RoundRecord): string {
  const lines = targets.flatMap(targetLines);
  const looked = WITNESSES.map((witness) => {
    const count = targets.filter((one) =>
      one.witnesses.some((w) => w.witness === witness && w.state !== null),
    ).length;
    return `${witness} ${count}/${targets.length}`;
  });
  return [
    ...lines,
    ...(targets.length === 0 ? ['there is no target to look at'] : []),
    ...(stopped ? ['STOPPED  more than half drifted: the MBOM may be late; nothing is pulled'] : []),
    `looked at: ${looked.join(', ')}; against ${releases.join(' and ')}`,
    `${VERDICTS[exitCode]!}   exit ${exitCode}`,
    '',
  ].join('\n');
}

function targetLines({ target, state, witnesses, action, because }: TargetRecord): string[] {
  const told = witnesses.filter((one) => one.state !== 'ok' && (one.state !== null || state === 'ok'));
  const what = action === 'none' ? '' : `  ${action}${because === null ? '' : `: ${inert(because)}`}`;
  return [
    `${state.padEnd(18)}  ${inert(target)}${what}`,
    ...told.map(
      (one) => `    ${one.witness}${one.state === null ? ' not looked at' : ''}: ${inert(one.message, 500)}`,
    ),
  ];
}
