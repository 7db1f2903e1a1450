// The options that say what signs. A password in an argument would stand in every process list.
import type { KeyObject } from 'node:crypto';
import type { Command } from 'commander';
import type { AnyKey, KeylessSigner, RemoteKey, SigningKey } from '../../proof/sign/sign.ts';
import { SteelyardError } from '../../rules/error.ts';
import { readInput } from './input.ts';

export interface KeyFlags {
  readonly key?: string;
  readonly passwordFile?: string;
  readonly certificateChain?: string;
  readonly keyless?: string;
  readonly signingRoot?: string;
  readonly identityToken?: string;
  readonly yes?: true;
}

const PASSWORD_VARIABLE = 'STEELYARD_KEY_PASSWORD';

/** `required`: the command signs whenever it runs, and then somebody may sign who has no key. */
export function withKey(command: Command, required: boolean): Command {
  command
    .option(
      '--key <key>',
      `private key in PEM, or cosign's (its password is taken from ${PASSWORD_VARIABLE}); or where a key lives: pkcs11:…, ` +
        'awskms://…, command:PROGRAM, env://NAME',
    )
    .option('--password-file <file>', "the key's password, if it is in a file")
    .option('--certificate-chain <file>', "certificates (PEM) for the signature, the key's own first");
  if (!required) return command;
  return command
    .option('--keyless <config>', "instead of --key: sign as who you are, by Sigstore's signing_config.json")
    .option(
      '--signing-root <file>',
      'with --keyless: the trusted_root.json that the signature must verify by',
    )
    .option(
      '--identity-token <file>',
      "with --keyless: the token, if it is not the CI's or in SIGSTORE_ID_TOKEN",
    )
    .option('--yes', 'ask nothing: for scripts');
}

/** What `--key` names. A key that is elsewhere is asked for its public half, so that what cannot sign says so at once. */
export async function signingKey(flags: KeyFlags, env: NodeJS.ProcessEnv): Promise<AnyKey> {
  const { key, passwordFile, certificateChain } = flags;
  if (flags.keyless !== undefined) return keyless(flags, flags.keyless);
  if (key === undefined) throw usage('say what signs: --key, or --keyless');
  const chain =
    certificateChain === undefined
      ? {}
      : { certificateChain: readInput(certificateChain, 'certificate chain') };
  const opened = await elsewhere(key, env);
  if (opened === null)
    return { privateKey: readInput(key, 'private key'), ...passwordOf(passwordFile, env), ...chain };
  return { ...opened, ...('privateKey' in opened ? passwordOf(passwordFile, env) : {}), ...chain };
}

/** null: the key is a file. Nothing is loaded to find that out. */
async function elsewhere(key: string, env: NodeJS.ProcessEnv): Promise<RemoteKey | SigningKey | null> {
  if (!/^[a-z][a-z0-9]+:/.test(key)) return null;
  const { openKey } = await import('../../proof/keys/keys.ts');
  return openKey(key, { env });
}

async function keyless(flags: KeyFlags, config: string): Promise<KeylessSigner> {
  const { key, passwordFile, certificateChain, signingRoot, identityToken, yes } = flags;
  if ([key, passwordFile, certificateChain].some((one) => one !== undefined))
    throw usage('--keyless signs without a key: leave --key and what goes with it out');
  if (signingRoot === undefined)
    throw usage('--keyless needs --signing-root: what nobody can verify is not written');
  const [{ keylessSigner }, { confirmation }] = await Promise.all([
    import('../../proof/keys/keyless/keyless.ts'),
    import('../terminal/confirmation.ts'),
  ]);
  return keylessSigner({
    signingConfig: readInput(config, 'signing config'),
    trustedRoot: readInput(signingRoot, 'trusted root'),
    ...(identityToken === undefined
      ? {}
      : { token: readInput(identityToken, 'identity token', 65_536).toString('utf8').trim() }),
    confirm: confirmation(yes ?? false),
  });
}

function passwordOf(file: string | undefined, env: NodeJS.ProcessEnv): Pick<SigningKey, 'password'> {
  const password =
    file === undefined
      ? env[PASSWORD_VARIABLE]
      : readInput(file, 'password')
          .toString('utf8')
          .replace(/\r?\n$/, '');
  return password === undefined ? {} : { password };
}

/** For what names its key by the key itself, as layouts do. */
export async function lastingKey(flags: KeyFlags, env: NodeJS.ProcessEnv): Promise<KeyObject | RemoteKey> {
  const key = await signingKey(flags, env);
  if ('sign' in key) return key;
  if ('seal' in key) throw usage('a layout and its links are signed with a key that lasts: give --key');
  const { readPrivateKey } = await import('../../proof/sign/signer/key.ts');
  return readPrivateKey(key.privateKey, key.password);
}

const usage = (message: string): SteelyardError => new SteelyardError('USAGE', message);
