// `env://NAME`: the PEM of a key in the environment, as cosign reads it. Not in the process list, and not for long: its children are not
// given it by us.
import { SteelyardError } from '../../rules/error.ts';
import type { SigningKey } from '../sign/sealing.ts';

export function environmentKey(uri: string, env: Readonly<Record<string, string | undefined>>): SigningKey {
  const [, name] = /^env:\/\/([A-Za-z_][A-Za-z0-9_]*)$/.exec(uri) ?? [];
  if (name === undefined) throw new SteelyardError('USAGE', 'a key in the environment is named env://NAME');
  const privateKey = env[name];
  if (!privateKey) throw new SteelyardError('USAGE', `the environment has no key called ${name}`);
  return { privateKey };
}
