// Keys that stay where they live: what `--key` names → something that signs. Nothing is loaded for those that are not used.
import type { RemoteKey, SigningKey } from '../sign/sealing.ts';
import { environmentKey } from './environment-key.ts';
import type { KeyOptions } from './key-options.ts';
import { schemeOf } from './key-uri.ts';

/**
 * The key; null: it is the path of a file. Its holder was asked for the public half: what cannot sign says so before hours of scanning.
 *
 * @throws SteelyardError USAGE, UNAUTHORIZED, NETWORK, NOT_FOUND, TIMEOUT; the message says which key, and never a secret.
 */
export async function openKey(uri: string, options: KeyOptions): Promise<RemoteKey | SigningKey | null> {
  switch (schemeOf(uri)) {
    case null:
      return null;
    case 'env':
      return environmentKey(uri, options.env);
    case 'awskms':
      return (await import('./aws-kms.ts')).awsKey(uri, options);
    case 'command':
      return (await import('./command/command.ts')).commandKey(uri, options);
    case 'pkcs11':
      return (await import('./pkcs11/pkcs11.ts')).tokenKey(uri, options);
  }
}
