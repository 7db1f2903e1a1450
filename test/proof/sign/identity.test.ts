// An identity under a Sigstore of its own (fixtures/compat/model-signing): exactly the one that is trusted, and seen by a log.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { digestModel, type IdentityTrust, verify, verifyDocument } from '../../../src/index.ts';
import { told } from '../../kit/golden.ts';
import { packageRoot } from '../../kit/root.ts';
import type { Anything } from '../../kit/specimen/forgery.ts';

const folder = join(packageRoot, 'fixtures', 'compat', 'model-signing');
const bundle = readFileSync(join(folder, 'keyless.sig'));
const trust: IdentityTrust = {
  method: 'identity',
  trustedRoot: readFileSync(join(folder, 'trusted_root.json')),
  identity: 'https://ci.example/release.yml@refs/heads/main',
  issuer: 'https://token.ci.example',
};
const changed = (change: (it: Anything) => void): Buffer => {
  const it = JSON.parse(bundle.toString());
  change(it);
  return Buffer.from(JSON.stringify(it));
};

test('an identity: exactly that one, seen by a log', async (t) => {
  const { files } = await digestModel(join(folder, 'model'));
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

test('what is wrong with an identity, said in one line', async (t) => {
  const { files } = await digestModel(join(folder, 'model'));
  const said = (by: Buffer, change: Partial<IdentityTrust> = {}): string =>
    told(verify(files, by, { ...trust, ...change }));
  const without = (logs: 'ctlogs' | 'tlogs'): string =>
    said(bundle, {
      trustedRoot: JSON.stringify({ ...JSON.parse(trust.trustedRoot.toString()), [logs]: [] }),
    });
  const logged = (change: (entries: Anything[]) => void): string =>
    said(changed((it) => change(it.verificationMaterial.tlogEntries)));
  const prefix = 'the keyless signature does not verify';
  t.equal(said(bundle), 'verified');
  for (const field of ['identity', 'issuer'] as const)
    t.equal(
      said(bundle, { [field]: 'x' }),
      `WRONG_IDENTITY | signed by another ${field} | x | ${trust[field]}`,
    );
  t.equal(
    logged((entries) => entries.splice(0)),
    'DOWNGRADED | the bundle has no entry of a transparency log: nobody saw when it was signed',
  );
  t.match(
    logged((entries) => (entries[0] = null)),
    new RegExp(`^MALFORMED_BUNDLE \\| ${prefix}: .*null`),
  );
  t.equal(
    logged((entries) => entries.push(entries[0])),
    `UNTRUSTED_CERTIFICATE | ${prefix}: duplicate timestamp`,
  );
  t.equal(without('ctlogs'), `UNTRUSTED_CERTIFICATE | ${prefix}: SCT verification failed`);
  t.equal(without('tlogs'), `BAD_SIGNATURE | ${prefix}: inclusion promise could not be verified`);
  t.equal(
    said(changed((it) => (it.dsseEnvelope.payload = 'AAAA'))),
    `BAD_SIGNATURE | ${prefix}: DSSE payload hash mismatch`,
  );
  const long = logged((entries) => (entries[0].kindVersion.kind = 'x'.repeat(1000)));
  t.match(
    long,
    new RegExp(`^BAD_SIGNATURE \\| ${prefix}: .{300}$`),
    'what a stranger wrote is not repeated in full',
  );
  const document = changed((it) => {
    delete it.dsseEnvelope;
    it.messageSignature = { signature: 'AAAA', messageDigest: { algorithm: 'SHA2_256', digest: 'AAAA' } };
  });
  t.equal(
    told(verifyDocument(Buffer.from('x'), document, trust)),
    `BAD_SIGNATURE | ${prefix}: tlog entry signature mismatch`,
  );
  for (const [change, message] of [
    [{ identity: '' }, 'identity and issuer must both be given: the root alone lets everybody sign'],
    [{ trustedRoot: '{}' }, 'the trusted root cannot be read: a Sigstore trusted_root.json is needed'],
  ] as const)
    t.throws(() => said(bundle, change), { code: 'USAGE', message });
});
