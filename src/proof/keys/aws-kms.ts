// `awskms://[ENDPOINT]/KEY`, as cosign spells it: KEY is an id, an ARN, alias/NAME or the ARN of an alias. AWS KMS signs a digest that we
// send; the key never leaves it.
import { SteelyardError } from '../../rules/error.ts';
import { type AwsService, askAws } from '../../source/s3/aws-json.ts';
import type { RemoteKey } from '../sign/sealing.ts';
import { hashOf } from '../sign/signer/key.ts';
import { digestFor, usableKey } from './ecdsa.ts';
import type { KeyOptions } from './key-options.ts';

/** Throws USAGE, UNAUTHORIZED, NOT_FOUND, NETWORK, INVALID_DOCUMENT. */
export async function awsKey(uri: string, options: KeyOptions): Promise<RemoteKey> {
  const { service, keyId } = readAwsUri(uri, options);
  const told = await askAws(service, 'TrentService.GetPublicKey', { KeyId: keyId });
  if (told.KeyUsage !== 'SIGN_VERIFY')
    throw new SteelyardError('USAGE', `${keyId} may not sign: its usage in KMS is not SIGN_VERIFY`);
  const publicKey = usableKey(bytesOf(told.PublicKey), keyId);
  const algorithm = `ECDSA_${hashOf(publicKey)!.toUpperCase().replace('SHA', 'SHA_')}`;
  return {
    publicKey,
    sign: async (bytes) => {
      const { Signature } = await askAws(service, 'TrentService.Sign', {
        KeyId: keyId,
        Message: digestFor(publicKey, bytes).toString('base64'),
        MessageType: 'DIGEST',
        SigningAlgorithm: algorithm,
      });
      return bytesOf(Signature);
    },
  };
}

function bytesOf(value: unknown): Buffer {
  if (typeof value === 'string') return Buffer.from(value, 'base64');
  throw new SteelyardError('INVALID_DOCUMENT', 'KMS answers with something else than it was asked for');
}

const URI = /^awskms:\/\/([^/?#@]*)\/([A-Za-z0-9:/_-]{1,2048})$/;

function readAwsUri(uri: string, { env, signal, http }: KeyOptions) {
  const [, host, keyId] = URI.exec(uri) ?? [];
  if (host === undefined || keyId === undefined)
    throw new SteelyardError(
      'USAGE',
      'a key of KMS is named awskms:///KEY-ID, awskms:///alias/NAME or awskms:///arn:…',
    );
  const region =
    /^arn:[a-z-]+:kms:([a-z0-9-]+):/.exec(keyId)?.[1] ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION;
  if (!region || !/^[a-z0-9-]{1,40}$/.test(region))
    throw new SteelyardError(
      'USAGE',
      'in which region is the key: set AWS_REGION, or name the key by its ARN',
    );
  const given = env.AWS_ENDPOINT_URL_KMS || env.AWS_ENDPOINT_URL || undefined;
  const service: AwsService = {
    service: 'kms',
    region,
    endpoint: host === '' ? given : `${isLoopback(host) ? 'http' : 'https'}://${host}/`,
    env,
    signal,
    ...(http === undefined ? {} : { http }),
  };
  return { service, keyId };
}

/** A test server: http is for literal loopback addresses alone. */
const isLoopback = (host: string): boolean => /^(127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(host);
