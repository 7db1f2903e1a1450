// The options that say what signs. A password in an argument would stand in every process list.
import type { Command } from 'commander';
import type { SigningKey } from '../index.ts';
import { readInput } from './input.ts';

export interface KeyFlags {
  readonly key: string;
  readonly passwordFile?: string;
}

export const PASSWORD_VARIABLE = 'STEELYARD_KEY_PASSWORD';

export const withKey = (command: Command): Command =>
  command
    .requiredOption('--key <file>', `private key in PEM; its password is taken from ${PASSWORD_VARIABLE}`)
    .option('--password-file <file>', "the key's password, if it is in a file");

export function signingKey({ key, passwordFile }: KeyFlags, env: NodeJS.ProcessEnv): SigningKey {
  const privateKey = readInput(key, 'private key');
  const password =
    passwordFile === undefined
      ? env[PASSWORD_VARIABLE]
      : readInput(passwordFile, 'password')
          .toString('utf8')
          .replace(/\r?\n$/, '');
  return { privateKey, ...(password === undefined ? {} : { password }) };
}
