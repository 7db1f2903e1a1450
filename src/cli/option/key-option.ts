// The options that say what signs. A password in an argument would stand in every process list.
import type { Command } from 'commander';
import type { SigningKey } from '../../proof/sign/sign.ts';
import { readInput } from './input.ts';

export interface KeyFlags {
  readonly key: string;
  readonly passwordFile?: string;
  readonly certificateChain?: string;
}

const PASSWORD_VARIABLE = 'STEELYARD_KEY_PASSWORD';

export function withKey(command: Command, required: boolean): Command {
  const key = command.createOption(
    '--key <file>',
    `private key in PEM, or cosign's; its password is taken from ${PASSWORD_VARIABLE}`,
  );
  return command
    .addOption(required ? key.makeOptionMandatory() : key)
    .option('--password-file <file>', "the key's password, if it is in a file")
    .option('--certificate-chain <file>', "certificates (PEM) for the signature, the key's own first");
}

export function signingKey(
  { key, passwordFile, certificateChain }: KeyFlags,
  env: NodeJS.ProcessEnv,
): SigningKey {
  const privateKey = readInput(key, 'private key');
  const password =
    passwordFile === undefined
      ? env[PASSWORD_VARIABLE]
      : readInput(passwordFile, 'password')
          .toString('utf8')
          .replace(/\r?\n$/, '');
  return {
    privateKey,
    ...(password === undefined ? {} : { password }),
    ...(certificateChain === undefined
      ? {}
      : { certificateChain: readInput(certificateChain, 'certificate chain') }),
  };
}
