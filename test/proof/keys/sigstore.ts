// Sigstore on a loopback port: an authority, a log and a time stamp authority, from Sigstore's own mock. Faults are put in by the test.
import { createHash, generateKeyPairSync, type KeyPairKeyObjectResult, sign } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { packageRoot } from '../../kit/root.ts';

const here = ['mock', 'sign'].every((name) =>
  existsSync(join(packageRoot, 'test/peers/node_modules/@sigstore', name)),
);
/** For tap: why there is nothing to test with. */
export const withoutSigstore = here
  ? false
  : 'NOT RUN: @sigstore/mock and @sigstore/sign are not in test/peers';

interface Answered {
  readonly statusCode: number;
  readonly response: string | Buffer;
}
export type Fault = (path: string, answer: Answered, body: string) => Promise<Answered | 'silence'>;

interface Service {
  readonly path: string;
  fn(body: string): Promise<Answered>;
}

const P256 = (): KeyPairKeyObjectResult => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const validFor = { start: new Date(Date.now() - 3_600_000).toISOString() };
const b64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

export class Sigstore {
  fault: Fault = async (_path, answer) => answer;
  /** Bodies and headers of every request. */
  readonly seen: string[] = [];
  readonly close: () => void;
  readonly signingConfig: string;
  readonly trustedRoot: string;
  /** The certificates of the time stamp authority, the signing one first, in DER. */
  readonly tsaChain: readonly Buffer[];
  readonly tsaUrl: string;

  private constructor(
    port: number,
    close: () => void,
    parts: { ca: Buffer; tlog: Buffer; ctlog: Ct; tsa: readonly Buffer[] },
  ) {
    this.close = close;
    const url = `http://127.0.0.1:${port}`;
    const service = (path: string) => ({
      url: `${url}${path}`,
      majorApiVersion: 1,
      validFor,
      operator: 'test',
    });
    this.tsaUrl = `${url}/api/v1/timestamp`;
    this.tsaChain = parts.tsa;
    this.signingConfig = JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
      caUrls: [service('')],
      rekorTlogUrls: [service('')],
      rekorTlogConfig: { selector: 'ANY' },
      tsaUrls: [service('/api/v1/timestamp')],
      tsaConfig: { selector: 'ANY' },
    });
    const log = (key: Buffer, keyId: Buffer) => ({
      ...{ baseUrl: url, hashAlgorithm: 'SHA2_256', logId: { keyId: b64(keyId) } },
      publicKey: { rawBytes: b64(key), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
    });
    const authority = (certificates: readonly Buffer[]) => ({
      ...{ subject: { organization: 'test', commonName: 'test' }, uri: url, validFor },
      certChain: { certificates: certificates.map((one) => ({ rawBytes: b64(one) })) },
    });
    this.trustedRoot = JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [log(parts.tlog, createHash('sha256').update(parts.tlog).digest())],
      ctlogs: [log(parts.ctlog.publicKey, parts.ctlog.logID)],
      certificateAuthorities: [authority([parts.ca])],
      timestampAuthorities: [authority(parts.tsa)],
    });
  }

  /** `clock`: the time that the time stamp authority tells. */
  static async start(clock?: Date): Promise<Sigstore> {
    const { default: mock } = await import('@sigstore/mock' as string);
    const services: Service[] = [];
    const holder: { sigstore?: Sigstore } = {};
    const server = createServer(async (request, response) => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece);
      const body = Buffer.concat(pieces).toString();
      holder.sigstore!.seen.push(`${request.url} ${JSON.stringify(request.headers)} ${body}`);
      const service = services.find(({ path }) => path === request.url);
      const answer = (await service?.fn(body)) ?? { statusCode: 404, response: '' };
      const told = await holder.sigstore!.fault(request.url!, answer, body);
      if (told !== 'silence') response.writeHead(told.statusCode, { location: '/none' }).end(told.response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const ctlog = certificateLog();
    const ca = await mock.initializeCA(P256(), ctlog);
    const tlog = await mock.initializeTLog(`http://127.0.0.1:${port}`, P256());
    const tsa = await mock.initializeTSA(generateKeyPairSync('ec', { namedCurve: 'P-384' }));
    // Whole seconds: of fractions, the mock writes as many digits as there are, and readers want three.
    tsa.getCurrentTime = () => clock ?? new Date(1000 * Math.ceil(Date.now() / 1000));
    const rekor: Service = mock.rekorHandler(tlog);
    services.push(mock.fulcioHandler(ca, { subjectClaim: 'email' }), mock.tsaHandler(tsa));
    services.push({ ...rekor, fn: (body) => rekor.fn(JSON.stringify(asLogged(JSON.parse(body)))) });
    const parts = {
      ca: ca.rootCertificate,
      tlog: tlog.publicKey,
      ctlog,
      tsa: [tsa.intCertificate, tsa.rootCertificate],
    };
    const close = (): void => {
      server.closeAllConnections();
      server.close();
    };
    holder.sigstore = new Sigstore(port, close, parts);
    return holder.sigstore;
  }
}

type Ct = ReturnType<typeof certificateLog>;

/** RFC 6962, section 3.2: what the mock's own log writes, @sigstore/core 3.2 does not read. */
function certificateLog() {
  const { privateKey, publicKey: key } = P256();
  const publicKey = key.export({ type: 'spki', format: 'der' });
  const logID = createHash('sha256').update(publicKey).digest();
  const number = (value: number, size: number): Buffer =>
    Buffer.from(value.toString(16).padStart(2 * size, '0'), 'hex');
  const log = async (certificate: ArrayBuffer, issuer: ArrayBuffer): Promise<Buffer> => {
    const body = signedPart(Buffer.from(certificate));
    const time = number(Date.now(), 8);
    const entry = [time, number(1, 2), Buffer.from(issuer), number(body.length, 3), body, number(0, 2)];
    const signature = sign('sha256', Buffer.concat([number(0, 2), ...entry]), privateKey);
    const parts = [number(0, 1), logID, time, number(0, 2), number(0x0403, 2)];
    const timestamp = Buffer.concat([...parts, number(signature.length, 2), signature]);
    return Buffer.concat([number(timestamp.length, 2), timestamp]); // the mock adds the length of the list
  };
  return { publicKey, logID, log };
}

/** The first element in the sequence that a certificate is. */
function signedPart(der: Buffer): Buffer {
  const start = (at: number): number => at + 2 + (der[at + 1]! < 0x80 ? 0 : der[at + 1]! & 0x7f);
  const size = (at: number): number =>
    der[at + 1]! < 0x80 ? der[at + 1]! : Number.parseInt(der.subarray(at + 2, start(at)).toString('hex'), 16);
  const inner = start(0);
  return der.subarray(inner, start(inner) + size(inner));
}

/** Rekor keeps of an envelope its hashes and signatures; the mock keeps what it is given. */
function asLogged(entry: {
  kind: string;
  spec: { proposedContent?: { envelope: string; verifiers: string[] } };
}): object {
  if (entry.kind !== 'dsse') return entry;
  const { envelope, verifiers } = entry.spec.proposedContent!;
  const { payload, signatures } = JSON.parse(envelope);
  const sha256 = (bytes: string | Buffer) => ({
    algorithm: 'sha256',
    value: createHash('sha256').update(bytes).digest('hex'),
  });
  return {
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      envelopeHash: sha256(envelope),
      payloadHash: sha256(Buffer.from(payload, 'base64')),
      signatures: signatures.map(({ sig }: { sig: string }) => ({ signature: sig, verifier: verifiers[0] })),
    },
  };
}

/** Nobody signs it: the mock believes everybody. */
export function tokenOf(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 600;
  return `${part({ alg: 'ES256' })}.${part({ aud: 'sigstore', exp, iss: 'https://issuer.example', email_verified: true, ...claims })}.c2lnbmF0dXJl`;
}
