// `steelyard egress`: what a server may connect to; checked, written for what enforces it, proven in the pod.
import { isIP } from 'node:net';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { inert } from '../../document/text/inert.ts';
import { SteelyardError } from '../../rules/error.ts';
import type { Checked, Egress, Probed, Target } from '../../serving/egress/egress.ts';
import { readInput } from '../option/input.ts';
import { type Run, run } from '../run.ts';
import { say } from '../terminal/message.ts';
import { checkOutput } from '../terminal/output.ts';

const HELP = `
Examples:
  steelyard egress check egress.yaml --config serving.yaml --config tools.yaml    is everything allowed that they name
  steelyard egress render squid egress.yaml -o squid.conf
  steelyard egress render networkpolicy egress.yaml --strict                      exit 1 if something is lost
  steelyard egress probe egress.yaml --proxy http://egress-proxy:3128 --direct 198.51.100.7:443

Exit codes:
  0    the declaration is understood; nothing in the configuration is denied; written; every probe holds
  1    an address of the configuration is not allowed; --strict and the target enforces less; a probe is broken
  2    no verdict: an invalid declaration, a file that cannot be read, a probe without an answer, bad usage
  130  interrupted (143: terminated)
`;

/** What a target's name may be; the list of the library is loaded when the command runs. */
const TARGETS = [
  'networkpolicy',
  'cilium',
  'istio',
  'squid',
  'smokescreen',
  'envoy',
] as const satisfies Target[];

const SIZE = 2 ** 24;

export function egressCommands(): Command[] {
  return [checkCommand(), renderCommand(), probeCommand()].map((command) =>
    command.addHelpText('after', HELP),
  );
}

const collected = (value: string, all: readonly string[] = []): string[] => [...all, value];

function checkCommand(): Command {
  return new Command('check')
    .summary('check a declaration, and the addresses of a configuration against it')
    .description('Reads a declaration of egress (steelyard/egress/1, or a bare egress: block) strictly.')
    .argument('<egress>', 'the declaration')
    .option('--config <file>', 'a serving configuration; may be given several times', collected)
    .action((path: string, flags: { config?: string[] }) =>
      run((context) => check(path, flags.config ?? [], context)),
    );
}

interface RenderFlags {
  readonly strict?: true;
  readonly name: string;
  readonly namespace?: string;
  readonly selector: string;
  readonly proxy: string;
  readonly proxyPort: number;
  readonly listen: string;
  readonly output?: string;
}

function renderCommand(): Command {
  return new Command('render')
    .summary('write a declaration for what enforces it')
    .description('Writes a declaration for a target, and says what the target cannot enforce.')
    .addArgument(new Argument('<target>', 'what enforces it').choices(TARGETS))
    .argument('<egress>', 'the declaration')
    .option('--strict', 'exit 1, and write nothing, if the target enforces less than the declaration')
    .option('--name <name>', 'name of the objects', 'model-server')
    .option('--namespace <name>', 'namespace of the objects')
    .option('--selector <labels>', 'labels of the pods that serve: key=value,key=value', 'app=model-server')
    .option('--proxy <labels>', "labels of the proxy's pods", 'app=egress-proxy')
    .option('--proxy-port <port>', "the proxy's port", portOf, 3128)
    .option('--listen <address>', 'where a proxy listens: address:port', '127.0.0.1:3128')
    .option('-o, --output <file>', 'write it to a file, whole or not at all')
    .action((target: Target, path: string, flags: RenderFlags) =>
      run((context) => rendered(target, path, flags, context)),
    );
}

interface ProbeFlags {
  readonly proxy: string;
  readonly direct?: string[];
  readonly within: number;
}

function probeCommand(): Command {
  return new Command('probe')
    .summary(
      'prove in the pod that allowed names connect, others fail fast, and nothing goes round the proxy',
    )
    .description('Opens connections through the proxy and past it. Nothing is sent over them.')
    .argument('<egress>', 'the declaration')
    .requiredOption('--proxy <url>', 'the proxy: http://host:port')
    .option(
      '--direct <address>',
      'address:port that listens outside and must not be reached; may be given several times',
      collected,
    )
    .option('--within <milliseconds>', 'a refusal must come in this time', positive, 1000)
    .action((path: string, flags: ProbeFlags) => run((context) => probed(path, flags, context)));
}

async function declaration(path: string): Promise<Egress> {
  const { parseEgress } = await import('../../serving/egress/egress.ts');
  return parseEgress(readInput(path, 'declaration of egress', SIZE).toString('utf8'), path);
}

async function check(path: string, configs: readonly string[], { write }: Run): Promise<number> {
  const egress = await declaration(path);
  const { checkConfiguration } = await import('../../serving/egress/egress.ts');
  const checks = configs.map((file) =>
    checkConfiguration(egress, readInput(file, 'configuration', SIZE).toString('utf8'), file),
  );
  const refused = checks.flatMap((one) => one.refused);
  const faults = checks.flatMap((one) => one.faults);
  const named = checks.reduce((sum, one) => sum + one.named.length, 0);
  const place = ({ at }: { at: Checked['refused'][number]['at'] }): string =>
    `${inert(at.file)}:${at.line}:${at.column}`;
  const lines = [
    ...refused.map((one) => `${place(one)}  not allowed: ${inert(`${one.host}:${one.port}`)}`),
    ...faults.map((one) => `${place(one)}  ${one.code}: ${inert(one.message)}`),
    configs.length === 0
      ? `PASS  ${egress.allow.length} destinations allowed, everything else denied`
      : `${refused.length > 0 ? 'FAIL' : faults.length > 0 ? 'ERROR' : 'PASS'}  ${named} addresses in ${configs.length} files, ${refused.length} not allowed`,
  ];
  await write(undefined, [`${lines.join('\n')}\n`]);
  return refused.length > 0 ? 1 : faults.length > 0 ? 2 : 0;
}

async function rendered(target: Target, path: string, flags: RenderFlags, { write }: Run): Promise<number> {
  const { strict, namespace, output, listen, name } = flags;
  if (output !== undefined) await checkOutput(output, [path]);
  const egress = await declaration(path);
  if (!/^(?:\d+(?:\.\d+){3}|\[[0-9a-f:]+\]):\d{1,5}$/.test(listen))
    throw new SteelyardError('USAGE', '--listen is address:port, such as 127.0.0.1:3128');
  for (const word of [name, namespace ?? name])
    if (!/^[a-z0-9](?:[a-z0-9-]{0,50}[a-z0-9])?$/.test(word))
      throw new SteelyardError(
        'USAGE',
        `${word} is not the name of an object: lower-case letters, digits and -`,
      );
  const { render } = await import('../../serving/egress/egress.ts');
  const { text, weaker } = render(egress, target, {
    name,
    namespace: namespace ?? null,
    selector: labelsOf(flags.selector),
    proxy: { selector: labelsOf(flags.proxy), port: flags.proxyPort },
    listen,
  });
  for (const line of weaker) say(`${target} does not enforce ${line}`);
  if (strict && weaker.length > 0) return 1;
  await write(output, [text]);
  return 0;
}

async function probed(
  path: string,
  { proxy, direct = [], within }: ProbeFlags,
  context: Run,
): Promise<number> {
  const egress = await declaration(path);
  const url = URL.canParse(proxy) ? new URL(proxy) : null;
  if (url?.protocol !== 'http:' || url.username !== '')
    throw new SteelyardError('USAGE', '--proxy is http://host:port');
  const { probe } = await import('../../serving/egress/egress.ts');
  const results = await probe(egress, {
    proxy: { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 80) },
    direct: direct.map(addressOf),
    others: [{ host: '169.254.169.254', port: 80 }],
    within,
    signal: context.signal,
  });
  const count = (outcome: Probed['outcome']): number =>
    results.filter((one) => one.outcome === outcome).length;
  const lines = results.map(
    ({ outcome, what, expected, answer, milliseconds }) =>
      `${outcome.toUpperCase().padEnd(7)}  ${inert(what)}  expected ${expected}: ${inert(answer)}, ${milliseconds} ms`,
  );
  const verdict = count('broken') > 0 ? 'FAIL' : count('unknown') > 0 ? 'ERROR' : 'PASS';
  lines.push(
    `${verdict}  ${results.length} probes: ${count('holds')} hold, ${count('broken')} broken, ${count('unknown')} unknown`,
  );
  await context.write(undefined, [`${lines.join('\n')}\n`]);
  return { FAIL: 1, ERROR: 2, PASS: 0 }[verdict];
}

function addressOf(text: string): { host: string; port: number } {
  const [, six, name, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = six ?? name;
  if (host === undefined || (six !== undefined && isIP(six) !== 6))
    throw new SteelyardError('USAGE', `--direct is address:port: ${text}`);
  return { host, port: portOf(port!) };
}

function labelsOf(text: string): Map<string, string> {
  const pairs = text.split(',').map((pair) => /^([\w./-]+)=([\w.-]*)$/.exec(pair));
  if (pairs.includes(null)) throw new SteelyardError('USAGE', `labels are key=value,key=value: ${text}`);
  return new Map(pairs.map((pair) => [pair![1]!, pair![2]!]));
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new InvalidArgumentError('It is a port: 1 to 65535.');
  return port;
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It is a number of milliseconds.');
  return value;
}
