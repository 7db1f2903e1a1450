// The options that say who must have signed. Exactly one way: whoever could add a second one could weaken the first.
import type { Command } from 'commander';
import type { Trust } from '../../proof/sign/trust.ts';
import { SteelyardError } from '../../rules/error.ts';
import { readInput } from './input.ts';

export interface TrustFlags {
  readonly publicKey?: string;
  readonly certificateChain?: string;
  readonly trustedRoot?: string;
  readonly identity?: string;
  readonly issuer?: string;
}

export const withTrust = (command: Command): Command =>
  command
    .option('--public-key <file>', 'public key that must have made the signature (PEM)')
    .option(
      '--certificate-chain <file>',
      'the certificate of the signer must lead to a root in this file (PEM)',
    )
    .option('--trusted-root <file>', 'verify a Sigstore identity offline, with this trusted_root.json')
    .option('--identity <identity>', 'with --trusted-root: exactly this e-mail address or workflow URI')
    .option('--issuer <url>', 'with --trusted-root: exactly this OpenID Connect issuer');

/** Throws USAGE and what readInput throws. */
export function trustOf({ publicKey, certificateChain, trustedRoot, identity, issuer }: TrustFlags): Trust {
  const methods = [publicKey, certificateChain, trustedRoot].filter((file) => file !== undefined);
  if (methods.length !== 1) {
    throw usage('say who must have signed: one of --public-key, --certificate-chain and --trusted-root');
  }
  if (trustedRoot === undefined && (identity !== undefined || issuer !== undefined)) {
    throw usage('--identity and --issuer go with --trusted-root');
  }
  if (publicKey !== undefined) return { method: 'key', publicKey: readInput(publicKey, 'public key') };
  if (certificateChain !== undefined) {
    return { method: 'certificate', certificateChain: readInput(certificateChain, 'certificate chain') };
  }
  if (identity === undefined || issuer === undefined) {
    throw usage('--trusted-root needs --identity and --issuer: the root alone lets everybody sign');
  }
  return { method: 'identity', trustedRoot: readInput(trustedRoot!, 'trusted root'), identity, issuer };
}

export const usage = (message: string): SteelyardError => new SteelyardError('USAGE', message);
