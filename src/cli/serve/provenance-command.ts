// `steelyard provenance`: verify the model where it is served, then say so on every response for as long as it holds.
import type { AddressInfo } from 'node:net';
import { Command, InvalidArgumentError } from 'commander';
import {
  createProvenance,
  headersOf,
  PROXY_TARGETS,
  type ProxyTarget,
  provenanceServer,
  provenanceText,
  renderProxy,
  standingOf,
} from '../../serving/provenance/provenance.ts';
import { readInput } from '../option/input.ts';
import { readSignature } from '../option/mbom-options.ts';
import { insideOf } from '../option/naming.ts';
import { type TrustFlags, trustOf, withTrust } from '../option/trust-options.ts';
import { outcomeText } from '../prove/outcome.ts';
import { type Run, run } from '../run.ts';
import { say } from '../terminal/message.ts';
import { checkOutput, writeStdout } from '../terminal/output.ts';
import { type Address, listenAddress } from './drift-flags.ts';

interface WriteFlags extends TrustFlags {
  readonly bom: string;
  readonly signature?: string;
  readonly root: string;
  readonly output: string;
  readonly map?: string;
}

interface RenderFlags {
  readonly listen: string;
  readonly upstream: string;
  readonly sidecar: string;
  readonly map: string;
  readonly log: string;
  readonly output?: string;
}

const HELP = `
Examples:
  steelyard provenance write --bom m.mbom.yaml --root /models --public-key pub.pem -o /run/steelyard/provenance.json
  steelyard provenance serve --document /run/steelyard/provenance.json --listen 127.0.0.1:9750
  steelyard provenance render nginx --upstream 127.0.0.1:8000 -o /etc/nginx/conf.d/model.conf

Exit codes:
  0    verified and written; ended
  1    refused: the release is not what a trusted signer signed
  2    no verdict: a file could not be read or changed meanwhile, bad usage
  130  interrupted (143: terminated)
`;

const DOCUMENT = '/run/steelyard/provenance.json';

export function provenanceCommand(): Command {
  const group = new Command('provenance').summary('say on every response which model answers it');
  for (const command of provenanceCommands()) group.addCommand(command.addHelpText('after', HELP));
  return group;
}

function provenanceCommands(): Command[] {
  const write = withTrust(new Command('write'))
    .summary('verify a release where it is served, and record the files on disk')
    .description(
      'Verifies the signature of the MBOM and every file under the root. Then writes the values of the headers and the state of the ' +
        'files. An init container runs it: where it fails, the pod never starts.',
    )
    .requiredOption('--bom <file>', 'the release: model.mbom.yaml')
    .requiredOption('--root <folder>', 'the folder that the model server reads')
    .option('--signature <file>', "the MBOM's signature (default: the MBOM's name with .sigstore.json)")
    .option('--map <file>', 'also write the values as a map file for HAProxy')
    .option('-o, --output <file>', 'where the document goes', DOCUMENT)
    .action((flags: WriteFlags) => run((context) => writing(flags, context)));
  const serve = new Command('serve')
    .summary('answer proxies and health checks: are the files still the verified ones')
    .description(
      'Answers /healthz (200 or 503) and /headers (204 or 503, for sub-requests of a proxy). A file that changes, or a document that is ' +
        'gone, makes the answer `unknown` within a second.',
    )
    .option('--document <file>', 'what `provenance write` wrote', DOCUMENT)
    .option('--listen <address>', 'host:port', listenAddress, { host: '127.0.0.1', port: 9750 })
    .action((flags: { document: string; listen: Address }) => run((context) => serving(flags, context)));
  const render = new Command('render')
    .summary('write a fragment of proxy configuration that sets the headers')
    .description(
      'Writes configuration for a proxy in the same pod. It asks the sidecar; no value stands in the configuration.',
    )
    .argument('<target>', PROXY_TARGETS.join(', '), proxyTarget)
    .option('--listen <address>', 'where clients connect: port or host:port', '8080')
    .option('--upstream <address>', 'the model server', '127.0.0.1:8000')
    .option('--sidecar <address>', '`steelyard provenance serve`', '127.0.0.1:9750')
    .option(
      '--map <file>',
      'for haproxy: what `provenance write --map` wrote',
      '/run/steelyard/provenance.map',
    )
    .option('--log <file>', 'for nginx: where the log of requests goes', '/var/log/nginx/steelyard.jsonl')
    .option('-o, --output <file>', 'write it to a file, whole or not at all')
    .action((target: ProxyTarget, flags: RenderFlags) => run((context) => rendering(target, flags, context)));
  return [write, serve, render];
}

async function writing(flags: WriteFlags, { signal, onProgress, measured, write }: Run): Promise<number> {
  const { bom, root, output, map, signature = `${bom}.sigstore.json`, ...trust } = flags;
  for (const path of map === undefined ? [output] : [output, map]) await checkOutput(path, [bom, signature]);
  const ignore = [bom, signature].map((path) => insideOf(root, path)).filter((path) => path !== null);
  const release = {
    document: readInput(bom, 'MBOM'),
    bundle: readSignature(signature),
    trust: trustOf(trust),
    root,
    ignore,
  };
  const { outcome, errors } = await createProvenance(release, new Date(), { signal, onProgress });
  measured();
  if (!outcome.verified) {
    const { text, code } = outcomeText(outcome, errors);
    await writeStdout([text]);
    return code;
  }
  const { provenance, proof } = outcome;
  const lines = Object.entries(headersOf(provenance)).map(([name, value]) => `${name} ${value}\n`);
  if (map !== undefined) await write(map, lines);
  await write(output, [provenanceText(provenance)]);
  const { text, code } = outcomeText({ ...proof, verified: true }, errors);
  await writeStdout([...lines, text]);
  return code;
}

async function serving(
  { document, listen }: { document: string; listen: Address },
  { signal }: Run,
): Promise<number> {
  const standing = standingOf(document);
  const server = provenanceServer(standing);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(listen, () => resolve());
  });
  const { address, port } = server.address() as AddressInfo;
  const { known, reason } = await standing();
  say(
    `listening on ${address}:${port}; ${known ? 'the files are those that were verified' : `unknown: ${reason}`}`,
  );
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  server.close();
  server.closeAllConnections();
  return 0;
}

async function rendering(
  target: ProxyTarget,
  { output, ...options }: RenderFlags,
  { write }: Run,
): Promise<number> {
  if (output !== undefined) await checkOutput(output, []);
  await write(output, [renderProxy(target, options)]);
  return 0;
}

function proxyTarget(text: string): ProxyTarget {
  const target = PROXY_TARGETS.find((one) => one === text);
  if (target === undefined) throw new InvalidArgumentError(`One of ${PROXY_TARGETS.join(', ')}.`);
  return target;
}
