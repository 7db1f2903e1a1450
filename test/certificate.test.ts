// Certificates made by openssl, right and wrong, and an identity under a Sigstore of its own.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { digestModel, type RefusalCode, signModel, type Trust, verify } from '../src/index.ts';
import { type Anything, file } from './forgery.ts';
import { packageRoot } from './root.ts';
import { told } from './told.ts';

const scratch = mkdtempSync(join(tmpdir(), 'steelyard-certificate-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const at = (name: string): string => join(scratch, name);
const pem = (name: string): string => readFileSync(at(name), 'utf8');
const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { cwd: scratch, stdio: 'pipe' });

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-nodes'];
const ROOT = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'];
const LEAF = ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature'];

function selfSigned(name: string, extensions: readonly string[]): void {
  const add = extensions.flatMap((one) => ['-addext', one]);
  openssl(
    'req',
    '-x509',
    ...EC,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.pem`,
    '-days',
    '30',
    '-subj',
    `/CN=${name}`,
    ...add,
  );
}

function issued(
  name: string,
  by: string,
  extensions: readonly string[],
  more: readonly string[] = ['-days', '30'],
): void {
  openssl('req', '-new', ...EC, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
  writeFileSync(at(`${name}.ext`), extensions.join('\n'));
  const ca = ['-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial', '-extfile', `${name}.ext`];
  openssl('x509', '-req', '-in', `${name}.csr`, ...ca, ...more, '-out', `${name}.pem`);
}

const FILES = [file('model.safetensors', 'weights', 'safetensors')];
const signedBy = (key: string, ...chain: string[]): Buffer => {
  const signing = {
    privateKey: pem(`${key}.key`),
    certificateChain: chain.map((one) => pem(`${one}.pem`)).join(''),
  };
  return Buffer.from(signModel(FILES, signing, { name: 'm' }).bundle);
};
const trusting = (...names: string[]): Trust => ({
  method: 'certificate',
  certificateChain: names.map((one) => pem(`${one}.pem`)).join(''),
});

function refusal(
  t: Test,
  bundle: Buffer,
  trust: Trust,
  code: RefusalCode,
  message: string,
  now = new Date(),
): void {
  t.equal(told(verify(FILES, bundle, trust, { now })), `${code} | ${message}`);
}

const NOT_FOR = "the signer's certificate is not for signatures (key usage)";
const NO_CHAIN = "no chain leads from the signer's certificate to a trusted root: ";

selfSigned('root', ROOT);
selfSigned('stranger', ROOT);
issued('middle', 'root', ['basicConstraints=critical,CA:TRUE,pathlen:0', 'keyUsage=critical,keyCertSign']);
issued('leaf', 'middle', LEAF);

test('a chain from the bundle, or from the caller, to a trusted root', (t) => {
  const outcome = verify(FILES, signedBy('leaf', 'leaf', 'middle'), trusting('root'));
  t.match(outcome, { verified: true, signer: { method: 'certificate', subject: 'CN=leaf' } });
  const der = openssl('x509', '-in', 'leaf.pem', '-noout', '-fingerprint', '-sha256').toString();
  const fingerprint = der.split('=')[1]!.replaceAll(':', '').trim().toLowerCase();
  t.match(outcome, { signer: { fingerprint: `sha256:${fingerprint}` } }, 'as openssl has it');
  t.ok(verify(FILES, signedBy('leaf', 'leaf', 'middle', 'root'), trusting('root')).verified);
  t.ok(verify(FILES, signedBy('leaf', 'leaf'), trusting('root', 'middle')).verified);
  selfSigned('alone', ['basicConstraints=critical,CA:TRUE', 'keyUsage=digitalSignature']);
  t.ok(verify(FILES, signedBy('alone', 'alone'), trusting('alone')).verified);
  t.end();
});

test('whoever the caller does not trust is refused', (t) => {
  const chain = signedBy('leaf', 'leaf', 'middle', 'root');
  refusal(
    t,
    chain,
    trusting('stranger'),
    'UNTRUSTED_CERTIFICATE',
    `${NO_CHAIN}the issuer of "CN=root" is not trusted | CN=leaf`,
  );
  refusal(
    t,
    signedBy('leaf', 'leaf'),
    trusting('root'),
    'UNTRUSTED_CERTIFICATE',
    `${NO_CHAIN}the issuer of "CN=leaf" is not trusted | CN=leaf`,
  );
  t.throws(() => verify(FILES, chain, trusting('middle')), {
    code: 'USAGE',
    message: 'the certificate chain has no root: add the self-signed certificate',
  });
  t.throws(() => verify(FILES, chain, { method: 'certificate', certificateChain: 'x' }), { code: 'USAGE' });
  const key: Trust = { method: 'key', publicKey: openssl('pkey', '-in', 'leaf.key', '-pubout') };
  refusal(
    t,
    chain,
    key,
    'WRONG_METHOD',
    'the bundle is signed in another way than the one that is trusted | key | certificate',
  );
  // The chain of one signer with the signature of another.
  const [right, wrong] = [
    JSON.parse(chain.toString()),
    JSON.parse(signedBy('middle', 'middle').toString()),
  ] as Anything[];
  right.dsseEnvelope = wrong.dsseEnvelope;
  refusal(
    t,
    Buffer.from(JSON.stringify(right)),
    trusting('root'),
    'BAD_SIGNATURE',
    'the signature does not match: something was changed after signing',
  );
  t.throws(() => signedBy('leaf', 'middle'), {
    code: 'USAGE',
    message: 'the first certificate is not for the private key',
  });
  t.end();
});

test('certificates that may not sign, or not now', (t) => {
  const refused = (
    name: string,
    by: string,
    extensions: readonly string[],
    message: string,
    more?: string[],
  ): void => {
    issued(name, by, extensions, more);
    refusal(t, signedBy(name, name, by), trusting('root'), 'UNTRUSTED_CERTIFICATE', message);
  };
  const day = 86_400_000;
  const later = new Date(Date.now() + 31 * day);
  refusal(
    t,
    signedBy('leaf', 'leaf', 'middle'),
    trusting('root'),
    'UNTRUSTED_CERTIFICATE',
    `${NO_CHAIN}"CN=leaf" has expired | CN=leaf`,
    later,
  );
  const earlier = new Date(Date.now() - day);
  refusal(
    t,
    signedBy('leaf', 'leaf', 'middle'),
    trusting('root'),
    'UNTRUSTED_CERTIFICATE',
    `${NO_CHAIN}"CN=leaf" is not valid yet | CN=leaf`,
    earlier,
  );
  refused('encipher', 'root', ['keyUsage=critical,keyAgreement'], NOT_FOR);
  refused('plain', 'root', ['basicConstraints=CA:FALSE'], NOT_FOR);
  refused('byleaf', 'leaf', LEAF, `${NO_CHAIN}the issuer of "CN=byleaf" is not trusted | CN=byleaf`);
  refused('weak', 'root', LEAF, `${NO_CHAIN}the issuer of "CN=weak" is not trusted | CN=weak`, [
    '-days',
    '30',
    '-sha1',
  ]);
  refused(
    'critical',
    'root',
    [...LEAF, '1.2.3.4=critical,ASN1:NULL'],
    `${NO_CHAIN}"CN=critical" has a critical extension that is not understood | CN=critical`,
  );
  issued('deeper', 'middle', ROOT);
  issued('deepest', 'deeper', LEAF);
  const deep = signedBy('deepest', 'deepest', 'deeper', 'middle');
  refusal(
    t,
    deep,
    trusting('root'),
    'UNTRUSTED_CERTIFICATE',
    `${NO_CHAIN}it is longer than a certificate in it allows | CN=deepest`,
  );
  issued('code', 'root', ['extendedKeyUsage=codeSigning']);
  t.ok(verify(FILES, signedBy('code', 'code'), trusting('root')).verified, 'code signing is enough');
  t.end();
});

test('certificates that are none: refused at every length and with every byte changed', (t) => {
  const bundle = JSON.parse(signedBy('leaf', 'leaf', 'middle').toString()) as Anything;
  const [leaf, middle] = bundle.verificationMaterial.x509CertificateChain.certificates;
  const der = Buffer.from(leaf.rawBytes, 'base64');
  const trust = trusting('root');
  const verified = (bytes: Buffer): boolean => {
    bundle.verificationMaterial.x509CertificateChain.certificates = [
      { rawBytes: bytes.toString('base64') },
      middle,
    ];
    return verify(FILES, Buffer.from(JSON.stringify(bundle)), trust).verified;
  };
  t.ok(verified(der));
  for (let length = 0; length < der.length; length += 3)
    if (verified(der.subarray(0, length))) t.fail(`${length}`);
  for (let at = 0; at < der.length; at++) {
    const flipped = Buffer.from(der);
    flipped[at]! ^= 1;
    if (verified(flipped)) t.fail(`byte ${at}`);
  }
  t.end();
});

test('an identity: exactly that one, seen by a log', async (t) => {
  const folder = join(packageRoot, 'fixtures', 'compat', 'model-signing');
  const { files } = await digestModel(join(folder, 'model'));
  const bundle = readFileSync(join(folder, 'keyless.sig'));
  const trust = {
    method: 'identity',
    trustedRoot: readFileSync(join(folder, 'trusted_root.json')),
    identity: 'https://ci.example/release.yml@refs/heads/main',
    issuer: 'https://token.ci.example',
  } as const;
  const outcome = verify(files, bundle, trust);
  t.match(outcome, {
    verified: true,
    signer: { method: 'identity', identity: trust.identity, issuer: trust.issuer },
  });
  const code = (
    change: Partial<Record<'identity' | 'issuer', string>>,
    with_: Uint8Array = bundle,
  ): string => {
    const outcome = verify(files, with_, { ...trust, ...change });
    return outcome.verified ? 'verified' : outcome.refusals[0].code;
  };
  // The library would take each of these for a pattern that matches.
  for (const identity of [
    'https://ci.example/release.yml',
    'https://ci.example/release.yml@refs/heads/mai.',
    '.*',
    'ci',
  ])
    t.equal(code({ identity }), 'WRONG_IDENTITY', identity);
  t.equal(code({ issuer: 'https://token.ci.example/' }), 'WRONG_IDENTITY');
  for (const change of [{ identity: '' }, { issuer: '' }]) t.throws(() => code(change), { code: 'USAGE' });
  for (const trustedRoot of ['', '{}', '[]', '{"tlogs":1}'])
    t.throws(() => verify(files, bundle, { ...trust, trustedRoot }), { code: 'USAGE' }, trustedRoot);
  const root = JSON.parse(trust.trustedRoot.toString());
  const blind = { ...trust, trustedRoot: JSON.stringify({ ...root, ctlogs: [] }) };
  const unlogged = verify(files, bundle, blind);
  t.equal(unlogged.verified || unlogged.refusals[0].code, 'UNTRUSTED_CERTIFICATE');

  const changed = (change: (it: Anything) => void): Buffer => {
    const it = JSON.parse(bundle.toString());
    change(it);
    return Buffer.from(JSON.stringify(it));
  };
  t.equal(
    code(
      {},
      changed((it) => (it.verificationMaterial.tlogEntries = [])),
    ),
    'DOWNGRADED',
    'no log',
  );
  t.not(
    code(
      {},
      changed((it) => (it.verificationMaterial.tlogEntries[0].integratedTime = '1')),
    ),
    'verified',
  );
  t.not(
    code(
      {},
      changed((it) => (it.dsseEnvelope.payload = Buffer.from('{}').toString('base64'))),
    ),
    'verified',
  );
  for (const value of [null, [null], [{}], 'x', 1, [{ logId: {} }]])
    t.not(
      code(
        {},
        changed((it) => (it.verificationMaterial.tlogEntries = value)),
      ),
      'verified',
      JSON.stringify(value),
    );
  t.not(
    code(
      {},
      changed((it) => (it.verificationMaterial.certificate.rawBytes = 'AAAA')),
    ),
    'verified',
  );
});
