// Lists of trusted keys: who signs them, which key they choose, and when it is trusted.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { keyInList, readTrustList } from '../../../src/proof/keys/trust-list.ts';
import { type SigningKey, signDocument } from '../../../src/proof/sign/sign.ts';
import { packageRoot } from '../../kit/root.ts';
import { steelyard } from '../../kit/steelyard.ts';

t.setTimeout(300_000);

const MODEL = join(packageRoot, 'fixtures/real/tiny-lora');
const NOW = new Date('2026-12-01T00:00:00Z');
const pair = (namedCurve = 'P-256') => generateKeyPairSync('ec', { namedCurve });
const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
const secret = (key: KeyObject): SigningKey => ({ privateKey: key.export({ type: 'pkcs8', format: 'pem' }) });

const [root, ours, other] = [pair(), pair('P-384'), pair()];
const BUNDLE = Buffer.from(signDocument(Buffer.from('x'), secret(ours.privateKey)));

function list(entry: object, more: object[] = []) {
  const keys = [{ name: 'release', publicKey: pem(ours.publicKey), ...entry }, ...more];
  const document = Buffer.from(JSON.stringify({ schema: 'steelyard/trust/1', keys }));
  const bundle = Buffer.from(signDocument(document, secret(root.privateKey)));
  return {
    document,
    bundle,
    root: { method: 'key', publicKey: pem(root.publicKey) },
    name: 'trusted.json',
  } as const;
}

const told = (entry: object, now = NOW): string => {
  const outcome = keyInList(list(entry), BUNDLE, now);
  return outcome.verified ? outcome.trust.publicKey.toString() : outcome.refusals[0].code;
};

t.test('a key is trusted at its time, to the millisecond', (t) => {
  const good = pem(ours.publicKey);
  const day = '2026-12-01T00:00:00Z';
  const [before, after] = [new Date(NOW.getTime() - 1), new Date(NOW.getTime() + 1)];
  t.equal(told({}), good);
  t.equal(told({ notBefore: day }, before), 'EXPIRED_KEY');
  t.equal(told({ notBefore: day }), good);
  t.equal(told({ notAfter: day }), good);
  t.equal(told({ notAfter: day }, after), 'EXPIRED_KEY');
  t.equal(told({ revokedAt: day }, before), good, 'now is before the time that it will be revoked at');
  t.equal(told({ revokedAt: day }), 'REVOKED_KEY');
  t.equal(told({ revokedAt: '2026-12-01T01:00:00+01:00' }), 'REVOKED_KEY', 'in any zone');
  t.equal(told({ revokedAt: day, notAfter: '2020-01-01T00:00:00Z' }), 'REVOKED_KEY', 'the graver one');
  const outcome = keyInList(list({ revokedAt: day, reason: 'stolen' }), BUNDLE, NOW);
  t.match(outcome, {
    refusals: [
      {
        message: /release was revoked \(stolen\), and nothing proves/,
        expected: `a trusted time before ${day}`,
      },
    ],
  });
  t.end();
});

t.test('a list, and a bundle, that are not what they should be', (t) => {
  const code = (given: ReturnType<typeof list>, bundle = BUNDLE) => {
    const outcome = keyInList(given, bundle, NOW);
    return outcome.verified ? 'verified' : outcome.refusals[0].code;
  };
  const good = list({ revokedAt: '2026-01-01T00:00:00Z' });
  const changed = Buffer.from(good.document.toString().replace('2026-01', '2029-01'));
  t.equal(code({ ...good, document: changed }), 'BAD_SIGNATURE');
  t.equal(code({ ...good, root: { method: 'key', publicKey: pem(other.publicKey) } }), 'WRONG_KEY');
  t.equal(code({ ...good, bundle: Buffer.alloc(0) }), 'UNSIGNED');
  for (let at = 0; at < good.document.length; at += 3) {
    const document = Buffer.from(good.document);
    document[at]! ^= 1;
    t.equal(code({ ...good, document }), 'BAD_SIGNATURE');
  }
  const strangers = Buffer.from(signDocument(Buffer.from('x'), secret(other.privateKey)));
  t.equal(code(list({}), strangers), 'WRONG_KEY');
  const both = list({ revokedAt: '2026-01-01T00:00:00Z' }, [
    { name: 'next', publicKey: pem(other.publicKey) },
  ]);
  t.equal(code(both, strangers), 'verified', 'the next key is trusted');
  t.equal(code(both), 'REVOKED_KEY');
  const json = JSON.parse(BUNDLE.toString());
  const changedBundle = (publicKey: object) =>
    Buffer.from(JSON.stringify({ ...json, verificationMaterial: { publicKey } }));
  t.equal(code(list({}), changedBundle({})), 'WRONG_KEY', 'a bundle that names no key');
  const certificate = Buffer.from(
    JSON.stringify({ ...json, verificationMaterial: { certificate: { rawBytes: 'AAAA' } } }),
  );
  t.equal(code(list({}), certificate), 'WRONG_METHOD');
  const read = (value: object) => () => readTrustList(Buffer.from(JSON.stringify(value)), 'l');
  const entry = { name: 'a', publicKey: pem(ours.publicKey) };
  const schema = 'steelyard/trust/1';
  t.throws(read({ schema, keys: [] }), { code: 'INVALID_DOCUMENT' });
  t.throws(read({ schema: 'steelyard/trust/2', keys: [entry] }), { code: 'INVALID_DOCUMENT' });
  t.throws(read({ schema, keys: [{ ...entry, notAfter: 'soon' }] }), { code: 'INVALID_DOCUMENT' });
  t.throws(
    read({ schema, keys: [{ ...entry, revoked: true }] }),
    { code: 'INVALID_DOCUMENT' },
    'an unknown field',
  );
  t.throws(read({ schema, keys: [entry, { ...entry, name: 'b' }] }), {
    code: 'INVALID_DOCUMENT',
    message: /stands twice/,
  });
  t.throws(read({ schema, keys: [{ ...entry, publicKey: secret(ours.privateKey).privateKey }] }), {
    code: 'USAGE',
  });
  t.end();
});

t.test('on the command line', async (t) => {
  const folder = t.testdir();
  const at = (name: string, text?: string | Buffer): string => {
    if (text !== undefined) writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const key = at('key.pem', secret(ours.privateKey).privateKey);
  const show = await steelyard(['key', 'show', '--key', key, '-o', at('key.pub')]);
  t.match(
    [show.code, show.stdout],
    [0, /fingerprint {4}sha256:[0-9a-f]{64}\ncurve {10}P-384, sha384\nlives {10}in a file\n/],
  );
  t.equal(readFileSync(at('key.pub'), 'utf8'), pem(ours.publicKey));
  const env = await steelyard(['key', 'show', '--key', 'env://K'], {
    K: secret(ours.privateKey).privateKey.toString(),
  });
  t.match(env.stdout, /in the environment\n[\s\S]*BEGIN PUBLIC KEY/);
  t.notMatch(env.stdout, /PRIVATE/);
  t.match(await steelyard(['key', 'show']), { code: 2, stderr: /which key/ });

  const document = at('trusted.json', list({}).document);
  const rootKey = at('root.pem', secret(root.privateKey).privateKey);
  at('root.pub', pem(root.publicKey));
  const signed = await steelyard([
    'key',
    'trust',
    document,
    '--key',
    rootKey,
    '-o',
    `${document}.sigstore.json`,
  ]);
  t.equal(signed.code, 0, signed.stderr);
  await steelyard(['sign', MODEL, '--key', key, '-o', at('model.sig')]);
  const verify = (...more: string[]) => steelyard(['verify', MODEL, '--signature', at('model.sig'), ...more]);
  const how = ['--trust', document, '--trust-key', at('root.pub')];
  t.match(await verify(...how), { code: 0, stdout: /VERIFIED {2}signed by key/ });
  t.match(await verify('--trust', document, '--trust-key', at('key.pub')), { code: 1, stdout: /WRONG_KEY/ });
  const revoked = at('revoked.json', list({ revokedAt: '2020-01-01T00:00:00Z' }).document);
  await steelyard(['key', 'trust', revoked, '--key', rootKey, '-o', at('revoked.sig')]);
  const old = await verify(
    '--trust',
    revoked,
    '--trust-signature',
    at('revoked.sig'),
    '--trust-key',
    at('root.pub'),
  );
  t.match(old, { code: 1, stdout: /REFUSED {2}REVOKED_KEY/ });
  t.match(await verify('--trust', document), { code: 2, stderr: /needs --trust-key/ });
  t.match(await verify('--trust-key', at('root.pub')), { code: 2, stderr: /go with --trust/ });
  t.match(await verify(...how, '--public-key', at('key.pub')), {
    code: 2,
    stderr: /leave the other ways out/,
  });
  const bad = at('bad.json', '{}');
  t.match(await steelyard(['key', 'trust', bad, '--key', rootKey, '-o', at('bad.sig')]), {
    code: 2,
    stderr: /INVALID_DOCUMENT/,
  });
});
