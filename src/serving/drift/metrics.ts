// The last round for Prometheus, in its text format: a file for the node exporter, or an endpoint of a daemon.
import type { RoundRecord } from './record.ts';
import { STATES } from './state.ts';

/** What only a daemon counts; a run of cron counts to one. */
export interface Counts {
  /** Rounds by exit code, since the start. */
  readonly rounds: readonly [number, number, number];
  /** Unix seconds of the last round that came to a verdict; null: none yet. */
  readonly lastVerdict: number | null;
}

export const counted = ({ rounds, lastVerdict }: Counts, exitCode: number, at: string): Counts => ({
  rounds: rounds.map((count, code) => count + Number(code === exitCode)) as [number, number, number],
  lastVerdict: exitCode === 2 ? lastVerdict : Math.floor(Date.parse(at) / 1000),
});

const RESULTS = ['ok', 'drift', 'no_verdict'] as const;

/** @param last null: there was no round yet. */
export function metricsText(last: RoundRecord | null, { rounds, lastVerdict }: Counts): string {
  const { targets, stopped } = last ?? { targets: [], stopped: false };
  return [
    ...metric(
      'steelyard_target_state',
      'gauge',
      'The state of each target in the last round: 1 for its state.',
    ),
    ...targets.flatMap(({ target, state }) =>
      STATES.map(
        (one) => `steelyard_target_state{target="${label(target)}",state="${one}"} ${Number(one === state)}`,
      ),
    ),
    ...metric(
      'steelyard_drift_stopped',
      'gauge',
      '1 if more than half of the targets drifted and nothing was pulled.',
    ),
    `steelyard_drift_stopped ${Number(stopped)}`,
    ...metric('steelyard_drift_actions', 'gauge', 'Targets by what was done about them in the last round.'),
    ...(['pulled', 'would-pull', 'kept', 'failed'] as const).map(
      (action) =>
        `steelyard_drift_actions{action="${action}"} ${targets.filter((one) => one.action === action).length}`,
    ),
    ...metric('steelyard_drift_rounds_total', 'counter', 'Rounds by result.'),
    ...RESULTS.map((result, code) => `steelyard_drift_rounds_total{result="${result}"} ${rounds[code]}`),
    ...metric(
      'steelyard_drift_last_verdict_timestamp_seconds',
      'gauge',
      'When a round last came to a verdict.',
    ),
    `steelyard_drift_last_verdict_timestamp_seconds ${lastVerdict ?? 0}`,
    '',
  ].join('\n');
}

const metric = (name: string, type: string, help: string): string[] => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} ${type}`,
];

/** Names of targets are foreign text; the format has three escapes. */
const label = (text: string): string =>
  text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
