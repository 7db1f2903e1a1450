// `steelyard key`: what a key is and where it lives, and lists of keys that are trusted.
import { Command } from 'commander';
import { readTrustList } from '../../proof/keys/trust-list.ts';
import { signDocument } from '../../proof/sign/sign.ts';
import { cosignHint, fingerprint, hashOf, modelHint, publicOf } from '../../proof/sign/signer/key.ts';
import { readInput } from '../option/input.ts';
import { type KeyFlags, lastingKey, signingKey, withKey } from '../option/key-option.ts';
import { usage } from '../option/trust-options.ts';
import { type Run, run } from '../run.ts';
import { say } from '../terminal/message.ts';
import { checkOutput, writeStdout } from '../terminal/output.ts';

interface ShowFlags extends KeyFlags {
  readonly output?: string;
}

interface TrustFlags extends KeyFlags {
  readonly output: string;
}

const HELP = `
Examples:
  steelyard key show --key key.pem
  steelyard key show --key 'pkcs11:token=release;object=model-signing' -o model-signing.pub
  steelyard key trust trusted.json --key root.pem -o trusted.json.sigstore.json
  steelyard verify models/llama --signature model.sig --trust trusted.json --trust-key root.pub

Exit codes:
  0    shown, signed
  2    the key cannot be used, or the list is not understood; bad usage
`;

export function keyCommand(): Command {
  const show = withKey(new Command('show'), false)
    .summary('the public half of a key, its fingerprint, and where it lives')
    .option('-o, --output <file>', 'write the public key (PEM)')
    .action((flags: ShowFlags) => run((context) => shown(flags, context)));
  const trust = withKey(new Command('trust'), true)
    .summary('sign a list of trusted keys, with the times that they are trusted at')
    .argument('<list>', 'the list (steelyard/trust/1) as JSON')
    .requiredOption('-o, --output <file>', 'the signature: LIST.sigstore.json')
    .action((list: string, flags: TrustFlags) => run((context) => trusted(list, flags, context)));
  return new Command('key')
    .summary('show a key, wherever it lives; sign a list of trusted keys')
    .addCommand(show)
    .addCommand(trust)
    .addHelpText('after', HELP);
}

const CURVES = { sha256: 'P-256', sha384: 'P-384', sha512: 'P-521' } as const;

async function shown(flags: ShowFlags, { write }: Run): Promise<number> {
  if (flags.key === undefined) throw usage('which key: --key');
  if (flags.output !== undefined) await checkOutput(flags.output, []);
  const key = await lastingKey(flags, process.env);
  const publicKey = 'sign' in key ? key.publicKey : publicOf(key);
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const lines = [
    `fingerprint    ${fingerprint(publicKey)}`,
    `curve          ${CURVES[hashOf(publicKey)!]}, ${hashOf(publicKey)}`,
    `lives          ${placeOf(flags.key)}`,
    `model-signing  ${modelHint(publicKey)}`,
    `cosign         ${cosignHint(publicKey)}`,
  ];
  await writeStdout([`${lines.join('\n')}\n${pem}`]);
  if (flags.output === undefined) return 0;
  await write(flags.output, [pem]);
  say(`the public key is in ${flags.output}`);
  return 0;
}

const PLACES = [
  [/^pkcs11:/, 'in a PKCS#11 token'],
  [/^awskms:/, 'in AWS KMS'],
  [/^command:/, 'behind a program'],
  [/^env:/, 'in the environment'],
] as const;

const placeOf = (key: string): string => PLACES.find(([scheme]) => scheme.test(key))?.[1] ?? 'in a file';

async function trusted(path: string, flags: TrustFlags, { write }: Run): Promise<number> {
  await checkOutput(flags.output, [path]);
  const document = readInput(path, 'list of keys');
  const keys = readTrustList(document, path);
  const key = await signingKey(flags, process.env);
  await write(flags.output, [await signDocument(document, key)]);
  say(`signed a list of ${keys.length} trusted keys; the signature is in ${flags.output}`);
  return 0;
}
