// Optional peers: packages that only some commands need and that their users install themselves. Loaded when the command runs.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SteelyardError } from '../rules/error.ts';
import { PACKAGE_ROOT } from './package.ts';

/** What `steelyard` loads when it is there, and the versions that were tried. */
const PEERS = {
  '@aws-sdk/credential-provider-node': '3',
  '@kubernetes/client-node': '1.4',
  '@sigstore/sign': '4.1',
  bullmq: '6',
  ioredis: '6',
  'node-llama-cpp': '3.21',
  pino: '10',
  pkcs11js: '2',
  'prom-client': '15',
} as const;
type Peer = keyof typeof PEERS;

/**
 * Loads an optional peer.
 *
 * @param purpose what needs it, as the message says it: `the engine node-llama-cpp needs the package …`.
 * @throws SteelyardError USAGE with the install line, if it is not installed or cannot be loaded.
 */
export async function peer<T>(name: Peer, purpose: string): Promise<T> {
  try {
    return (await import(name)) as T;
  } catch (cause) {
    // An error that crossed threads, as with a loader's hooks, has lost its code.
    const { code, message } = cause as NodeJS.ErrnoException;
    const missing = code === 'ERR_MODULE_NOT_FOUND' || message.startsWith('Cannot find package');
    const problem = missing ? 'is not installed' : 'cannot be loaded';
    throw new SteelyardError(
      'USAGE',
      `${purpose} needs the package ${name}, which ${problem}: npm install ${name}@${PEERS[name]}`,
      { cause },
    );
  }
}

/** Which of them are installed where this package finds them; null: that one is not. */
export const peersHere = (): {
  readonly name: string;
  readonly wanted: string;
  readonly version: string | null;
}[] => Object.entries(PEERS).map(([name, wanted]) => ({ name, wanted, version: versionHere(name) }));

function versionHere(name: string): string | null {
  for (let folder = PACKAGE_ROOT; ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name, 'package.json');
    if (existsSync(path)) return String(JSON.parse(readFileSync(path, 'utf8')).version);
    if (folder === dirname(folder)) return null;
  }
}
