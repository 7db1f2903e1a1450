// `steelyard drift`: is what runs still what was released? Once for cron, or again and again.
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { SteelyardError } from '../../rules/error.ts';
import {
  allowedOn,
  type Counts,
  counted,
  driftLine,
  driftRound,
  metricsText,
  type RoundRecord,
  roundText,
} from '../../serving/drift/drift.ts';
import { checkReports, withReports, writeReports } from '../option/report-options.ts';
import { usage, withTrust } from '../option/trust-options.ts';
import { outcomeText } from '../prove/outcome.ts';
import { type Run, run } from '../run.ts';
import { say, sayError } from '../terminal/message.ts';
import { checkOutput, writeStdout } from '../terminal/output.ts';
import {
  type Address,
  type DriftFlags,
  listenAddress,
  pullLimitOption,
  secondsOption,
  wholeNumber,
} from './drift-flags.ts';
import { behaviourOf, rolloutOf, sourceOf, type TargetSource } from './drift-source.ts';
import { appendLine } from './history.ts';
import { packagesCommand } from './packages-command.ts';

const HELP = `
Examples:
  steelyard drift --bom m.mbom.yaml --public-key pub.pem --targets targets.txt
  steelyard drift --bom m.mbom.yaml --public-key pub.pem --kubernetes serving/app=chat --act --watch 60s

Exit codes:
  0    no drift: every target is as released
  1    drifted: a target is definitely not as released, or the MBOM is not signed by whom it must be
  2    no verdict: a target did not answer or could not be judged, there is no target, bad usage
  130  interrupted (143: terminated)
`;

/** Between two looks at a target whose headers alone are wrong. */
const CONFIRM_PAUSE = 2000;

export function driftCommand(): Command {
  return withReports(withTrust(new Command('drift')))
    .summary('check whether what runs is what was released')
    .description(
      'Asks every target for its headers and loaded adapters, in Kubernetes for its image, with --fingerprint for its behaviour. Holds the answers against a signed MBOM. ' +
        'Without --act nothing is changed; what did not answer is never taken out of rotation.',
    )
    .option('--bom <file>', 'the release that should run: model.mbom.yaml')
    .option('--signature <file>', "the MBOM's signature (default: the MBOM's name with .sigstore.json)")
    .option('--previous <file>', 'during a rollout: the MBOM of the release before, signed by the same')
    .option('--until <day>', 'with --previous: the last day (UTC) on which it may run')
    .option('--targets <file>', 'a list of addresses, one a line; a name may stand before each')
    .option('--kubernetes <where>', 'pods instead: NAMESPACE/SELECTOR, for instance serving/app=chat')
    .option('--kubeconfig <file>', "who asks Kubernetes (default: this pod's service account)")
    .option('--container <name>', 'the container that serves the model (default: the first)')
    .option('--port <number>', "its port (default: the container's first)", wholeNumber)
    .addOption(
      new Option('--scheme <scheme>', 'how pods are asked').choices(['http', 'https']).default('http'),
    )
    .option('--path <path>', 'where headers are looked at', '/healthz')
    .option('--token-env <name>', 'the environment variable with a bearer token for the targets')
    .option(
      '--fingerprint <file...>',
      'also check the behaviour: what `canary fingerprint` wrote, signed by the same',
    )
    .option(
      '--model <name>',
      "with --fingerprint: the model's name at the server (default: the first it lists)",
    )
    .option('--insecure', 'allow plain http to other machines')
    .option('--confirm <n>', 'looks that must agree where headers alone are wrong', wholeNumber, 2)
    .option('--act', 'take drifted pods out of rotation, and let new ones in')
    .option(
      '--max-pulled <limit>',
      'pods that may be out at a time: 2, or 25% (at least one)',
      pullLimitOption,
      {
        percent: 25,
      },
    )
    .option('--once', 'one round (the default)')
    .option('--watch <seconds>', 'a round every so often, until it is interrupted: 60s', secondsOption)
    .option('--history <file>', 'append the record of each round: JSON lines (steelyard/drift/1)')
    .option('--metrics <file>', 'write metrics for Prometheus to a file, whole or not at all')
    .option('--metrics-listen <address>', 'with --watch: serve them at http://ADDRESS/metrics', listenAddress)
    .addOption(
      new Option('--format <format>', 'for people, or a JSON line').choices(['text', 'json']).default('text'),
    )
    .addHelpText('after', HELP)
    .addCommand(packagesCommand())
    .action((flags: DriftFlags) => run((context) => drift(flags, context)));
}

async function drift(flags: DriftFlags, context: Run): Promise<number> {
  const { watch, once, metrics, history, metricsListen, path } = flags;
  if (watch !== undefined && once) throw usage('--once and --watch exclude each other');
  if (!path.startsWith('/')) throw usage('--path must begin with a slash');
  if (metricsListen !== undefined && watch === undefined) throw usage('--metrics-listen needs --watch');
  for (const file of [metrics, history]) if (file !== undefined) await checkOutput(file, []);
  const rollout = rolloutOf(flags, new Date());
  if ('refused' in rollout) return refusal(rollout.refused);
  const headers = headersOf(flags);
  const behaviour = await behaviourOf(flags, rollout, headers, context.signal);
  if (behaviour !== null && 'refused' in behaviour) return refusal(behaviour.refused);
  const source = await sourceOf(flags, context.signal);
  await checkReports(flags, []);
  const reporter = await reporterOf(flags, context);
  const round = async (): Promise<RoundRecord> => {
    const at = new Date();
    const record = await driftRound(await source.targets(), {
      ...lookOptions(flags, source),
      headers,
      ...(behaviour === null ? {} : { behaviour }),
      allowed: allowedOn(rollout, at.toISOString().slice(0, 10)),
      at,
      pause: () => pause(CONFIRM_PAUSE, undefined, { signal: context.signal }),
    });
    await reporter.report(record);
    return record;
  };
  try {
    return watch === undefined
      ? (await round()).exitCode
      : await watching(round, watch, reporter, context.signal);
  } catch (cause) {
    // Whatever was going on: a pause, a request, a file.
    if (context.signal.aborted) throw new SteelyardError('ABORTED', 'interrupted', { cause });
    throw cause;
  } finally {
    reporter.close();
    await source.close();
  }
}

async function refusal(refused: Parameters<typeof outcomeText>[0]): Promise<number> {
  const { text, code } = outcomeText(refused, []);
  await writeStdout([text]);
  return code;
}

const lookOptions = ({ path, confirm, maxPulled, act }: DriftFlags, { client, rotation }: TargetSource) => ({
  client,
  path,
  confirm,
  limit: maxPulled,
  rotation: act ? rotation : null,
});

function headersOf({ tokenEnv }: DriftFlags): Record<string, string> {
  if (tokenEnv === undefined) return {};
  const token = process.env[tokenEnv];
  if (token === undefined || !/^[\x21-\x7e]+$/.test(token))
    throw usage(`no token in the environment variable ${tokenEnv}`);
  return { authorization: `Bearer ${token}` };
}

/** A round that fails is told and counted; the next one may not. */
async function watching(
  round: () => Promise<RoundRecord>,
  seconds: number,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<number> {
  while (!signal.aborted) {
    try {
      await round();
    } catch (error) {
      if (signal.aborted) break;
      if (!(error instanceof SteelyardError)) throw error;
      sayError(error);
      await reporter.failed();
    }
    await pause(seconds * 1000, undefined, { signal }).catch(() => undefined);
  }
  return 0; // the signal's own code takes its place
}

interface Reporter {
  report(record: RoundRecord): Promise<void>;
  /** There was no record. */
  failed(): Promise<void>;
  close(): void;
}

async function reporterOf(flags: DriftFlags, { write }: Pick<Run, 'write'>): Promise<Reporter> {
  const { history, metrics, metricsListen, format } = flags;
  let counts: Counts = { rounds: [0, 0, 0], lastVerdict: null };
  let last: RoundRecord | null = null;
  const text = (): string => metricsText(last, counts);
  const writeMetrics = async (): Promise<void> => {
    if (metrics !== undefined) await write(metrics, [text()]);
  };
  const close = metricsListen === undefined ? () => undefined : await metricsServer(metricsListen, text);
  return {
    report: async (record) => {
      last = record;
      counts = counted(counts, record.exitCode, record.at);
      if (history !== undefined) await appendLine(history, driftLine(record));
      await writeMetrics();
      await write(undefined, [format === 'json' ? driftLine(record) : roundText(record)]);
      await writeReports(record, flags, [], { write });
    },
    failed: async () => {
      counts = counted(counts, 2, '');
      await writeMetrics();
    },
    close,
  };
}

async function metricsServer(address: Address, text: () => string): Promise<() => void> {
  const server = createServer(({ url }, response) => {
    const found = url === '/metrics';
    response.writeHead(found ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4' });
    response.end(found ? text() : 'not found\n');
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(address, () => resolve()));
  say(`metrics at http://${address.host}:${address.port}/metrics`);
  return () => {
    server.close();
    server.closeAllConnections();
  };
}
