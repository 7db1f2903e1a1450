// The options that say what signs. A password in an argument would stand in every process list.
import type { KeyObject } from 'node:crypto';
import type { Command } from 'commander';
import type { AnyKey, RemoteKey, SigningKey } from '../../proof/sign/sign.ts';
import { SteelyardError } from '../../rules/error.ts';
import { readInput } from './input.ts';

export interface KeyFlags {
  readonly key: string;
  readonly passwordFile?: string;
  readonly certificateChain?: string;
}

const PASSWORD_VARIABLE = 'STEELYARD_KEY_PASSWORD';

export function withKey(command: Command, required: boolean): Command {
  const key = command.createOption(
    '--key <key>',
    `private key in PEM, or cosign's (its password is taken from ${PASSWORD_VARIABLE}); or where a key lives: pkcs11:…, ` +
      'awskms://…, command:PROGRAM, env://NAME',
  );
  return command
    .addOption(required ? key.makeOptionMandatory() : key)
    .option('--password-file <file>', "the key's password, if it is in a file")
    .option('--certificate-chain <file>', "certificates (PEM) for the signature, the key's own first");
}

/** What `--key` names. A key that is elsewhere is asked for its public half, so that what cannot sign says so at once. */
export async function signingKey(flags: KeyFlags, env: NodeJS.ProcessEnv): Promise<AnyKey> {
  const { key, passwordFile, certificateChain } = flags;
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
  if ('seal' in key)
    throw new SteelyardError('USAGE', 'a layout is signed with a key that lasts: give --key');
  const { readPrivateKey } = await import('../../proof/sign/signer/key.ts');
  return readPrivateKey(key.privateKey, key.password);
}
