// A SoftHSM of a test's own: a folder of tokens, and keys in them.
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../kit/root.ts';
import { run } from '../../kit/steelyard.ts';

export const MODULE = '/usr/lib/softhsm/libsofthsm2.so';
export const PIN = '481516';

const installed = existsSync(MODULE) && ['/usr/bin/softhsm2-util', '/usr/bin/pkcs11-tool'].every(existsSync);
const peered = existsSync(join(packageRoot, 'test/peers/node_modules/pkcs11js/build/Release/pkcs11.node'));
/** For tap: why there is nothing to test with. */
export const withoutSoftHsm =
  installed && peered ? false : 'NOT RUN: softhsm2, opensc or pkcs11js is not here';

export class SoftHsm {
  readonly env: { readonly SOFTHSM2_CONF: string };
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(join(folder, 'tokens'));
    const conf = join(folder, 'softhsm2.conf');
    writeFileSync(conf, `directories.tokendir = ${join(folder, 'tokens')}\nobjectstore.backend = file\n`);
    this.env = { SOFTHSM2_CONF: conf };
    this.#tool(
      'softhsm2-util',
      '--init-token',
      '--free',
      '--label',
      'release',
      '--pin',
      PIN,
      '--so-pin',
      '2342',
    );
  }

  /** Makes a pair here and puts it into the token; its public half. */
  import(label: string, id: string, curve = 'P-256'): KeyObject {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve });
    const file = join(this.#folder, `${id}.pem`);
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    this.#tool(
      'softhsm2-util',
      ...['--import', file, '--token', 'release', '--label', label, '--id', id, '--pin', PIN],
    );
    return publicKey;
  }

  pkcs11(...options: string[]): void {
    this.#tool(
      'pkcs11-tool',
      '--module',
      MODULE,
      '--token-label',
      'release',
      '--login',
      '--pin',
      PIN,
      ...options,
    );
  }

  /** CKA_SIGN of the private key of that id becomes false: no tool of the Debian packages sets it. */
  async forbidSigning(id: string): Promise<void> {
    process.env.SOFTHSM2_CONF = this.env.SOFTHSM2_CONF;
    const { default: pkcs11js } = await import('pkcs11js' as string);
    const module = new pkcs11js.PKCS11();
    module.load(MODULE);
    module.C_Initialize();
    const session = module.C_OpenSession(module.C_GetSlotList(true)[0], 0x6);
    module.C_Login(session, 1, PIN);
    module.C_FindObjectsInit(session, [
      { type: 0x0, value: 3 },
      { type: 0x102, value: Buffer.from(id, 'hex') },
    ]);
    const [key] = module.C_FindObjects(session, 1);
    module.C_FindObjectsFinal(session);
    module.C_SetAttributeValue(session, key, [{ type: 0x108, value: false }]);
    module.C_Finalize();
    module.close();
  }

  #tool(name: string, ...options: string[]): void {
    execFileSync(name, options, { env: { ...process.env, ...this.env }, stdio: 'pipe' });
  }
}

const PEERS = join(packageRoot, 'test/kit/peers.mjs');
/** The command line with its optional peers. */
export const withPeers = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  run([process.execPath, '--import', PEERS, join(packageRoot, 'out/src/cli/main.js'), ...args], env);
