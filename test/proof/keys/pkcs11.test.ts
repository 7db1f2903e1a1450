// Keys in a token, a real one: SoftHSM 2.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readTokenUri } from '../../../src/proof/keys/pkcs11/pkcs11-uri.ts';
import { digestModel } from '../../../src/proof/sign/files/model-digest.ts';
import { verify } from '../../../src/proof/sign/verify.ts';
import { packageRoot } from '../../kit/root.ts';
import { MODULE, PIN, SoftHsm, withoutSoftHsm, withPeers } from './token.ts';

t.setTimeout(300_000);

const MODEL = join(packageRoot, 'fixtures/real/tiny-lora');
const uri = (object: string): string => `pkcs11:token=release;object=${object}?module-path=${MODULE}`;

t.test('a model is signed by a key in a token', { skip: withoutSoftHsm }, async (t) => {
  const folder = t.testdir();
  const hsm = new SoftHsm(folder);
  const { files } = await digestModel([MODEL]);
  for (const [index, curve] of ['P-256', 'P-384', 'P-521'].entries()) {
    const publicKey = hsm.import(curve, `0${index + 1}`, curve);
    const output = join(folder, `${curve}.sig`);
    const args = ['sign', MODEL, '--key', uri(curve), '-o', output];
    const { code, stderr, stdout } = await withPeers(args, { ...hsm.env, STEELYARD_PKCS11_PIN: PIN });
    t.equal(code, 0, stderr);
    const bundle = readFileSync(output);
    const trust = { method: 'key', publicKey: publicKey.export({ type: 'spki', format: 'pem' }) } as const;
    t.equal(verify(files, bundle, trust).verified, true, curve);
    for (const said of [stderr, stdout, bundle.toString()]) t.notMatch(said, PIN, 'the PIN is told nowhere');
  }
  t.test('named by its id, with the PIN in a file', async (t) => {
    const pin = join(folder, 'pin');
    writeFileSync(pin, `${PIN}\n`);
    const key = `pkcs11:token=release;id=%02;type=private?module-path=${MODULE}&pin-source=file:${pin}`;
    const { code, stderr } = await withPeers(
      ['sign', MODEL, '--key', key, '-o', join(folder, 'id.sig')],
      hsm.env,
    );
    t.equal(code, 0, stderr);
  });
  t.test('the module from the environment, and each command that signs', async (t) => {
    const env = { ...hsm.env, STEELYARD_PKCS11_PIN: PIN, STEELYARD_PKCS11_MODULE: MODULE };
    const key = 'pkcs11:object=P-384';
    const mbom = join(folder, 'm.mbom.yaml');
    const commands = [
      ['scan', MODEL, '--sign', join(folder, 'scan.sig'), '--key', key],
      ['attest', MODEL, '--key', key, '-o', join(folder, 'a.jsonl')],
      ['bom', 'create', MODEL, '-o', mbom],
      ['sign', mbom, '--key', key, '-o', `${mbom}.sigstore.json`],
      [
        'recall',
        `sha256:${'1'.repeat(64)}`,
        '--reason',
        'r',
        '--list',
        join(folder, 'recalls.jsonl'),
        '--key',
        key,
      ],
      ['link', 'record', 'step', '--root', MODEL, '--products', '*.json', '--key', key, '-o', folder],
    ];
    for (const args of commands) {
      const { code, stderr } = await withPeers(args, env);
      t.equal(code, 0, `${args.slice(0, 2).join(' ')}: ${stderr}`);
    }
  });
});

t.test('what a token cannot do is said, and nothing is written', { skip: withoutSoftHsm }, async (t) => {
  const folder = t.testdir();
  const hsm = new SoftHsm(folder);
  hsm.import('twice', '11');
  hsm.import('twice', '12');
  hsm.import('good', '13');
  hsm.import('koblitz', '14', 'secp256k1');
  hsm.import('half', '15');
  hsm.pkcs11('--delete-object', '--type', 'pubkey', '--id', '15');
  hsm.pkcs11('--keypairgen', '--key-type', 'RSA:2048', '--label', 'rsa', '--id', '16');
  hsm.import('derive', '17');
  await hsm.forbidSigning('17');
  const cases: [name: string, key: string, said: RegExp, pin?: string | null][] = [
    ['no such key', uri('other'), /NOT_FOUND: the token has no private key of that name/],
    ['two keys', uri('twice'), /USAGE: the token has more than one private key of that name/],
    ['another curve', uri('koblitz'), /USAGE: .* of the kind secp256k1/],
    ['RSA', uri('rsa'), /USAGE: .* is no elliptic-curve key/],
    ['may not sign', uri('derive'), /USAGE: the key in the token may not sign/],
    ['no public half', uri('half'), /USAGE: the token has neither the public key nor a certificate/],
    [
      'another PIN',
      uri('good'),
      /UNAUTHORIZED: the token does not let us in \(CKR_PIN_INCORRECT\)/,
      '999999',
    ],
    ['no PIN', uri('good'), /USAGE: the token needs its PIN/, null],
    ['no module', 'pkcs11:object=good', /USAGE: name the PKCS#11 module/],
    [
      'a module that is none',
      `pkcs11:object=good?module-path=${MODEL}/config.json`,
      /IO: the module .* cannot be loaded/,
    ],
    ['another token', `pkcs11:token=x;object=good?module-path=${MODULE}`, /NOT_FOUND: no token is the one/],
    ['another serial', `pkcs11:serial=x;object=good?module-path=${MODULE}`, /NOT_FOUND: no token is the one/],
    ['another slot', `pkcs11:slot-id=1;object=good?module-path=${MODULE}`, /NOT_FOUND: no token is the one/],
    [
      'no file of a PIN',
      `${uri('good')}&pin-source=file:/none`,
      /IO: cannot read the file with the PIN \/none \(ENOENT\)/,
    ],
    [
      'a PIN in the address',
      `${uri('good')}&pin-value=77777`,
      /USAGE: .*the PIN must not stand in the address/,
    ],
  ];
  for (const [name, key, said, pin = PIN] of cases) {
    const output = join(folder, 'refused.sig');
    const env = { ...hsm.env, ...(pin === null ? {} : { STEELYARD_PKCS11_PIN: pin }) };
    const { code, stderr } = await withPeers(['sign', MODEL, '--key', key, '-o', output], env);
    t.equal(code, 2, name);
    t.match(stderr, said, name);
    t.notMatch(stderr, /481516|999999|77777/, 'no PIN is told');
    t.throws(() => readFileSync(output), { code: 'ENOENT' });
  }
});

t.test('addresses of keys in tokens, RFC 7512', (t) => {
  const read = readTokenUri(
    'pkcs11:token=a%20b;manufacturer=m;model=o;serial=s;slot-id=7;object=k;id=%00%ff%41z',
  );
  t.same(read, {
    token: 'a b',
    manufacturer: 'm',
    model: 'o',
    serial: 's',
    slotId: 7,
    object: 'k',
    id: Buffer.from('00ff417a', 'hex'),
    modulePath: null,
    pinFile: null,
  });
  t.match(readTokenUri('pkcs11:id=%01?module-path=/m.so&pin-source=/run/pin'), {
    modulePath: '/m.so',
    pinFile: '/run/pin',
  });
  t.equal(readTokenUri('pkcs11:id=%01?pin-source=file:///run/pin').pinFile, '/run/pin');
  const refused = {
    'pkcs11:': /name the key/,
    'pkcs11:token=x': /name the key/,
    'pkcs11:object=k;object=l': /object stands twice/,
    'pkcs11:object=k;library-version=1': /not known: library-version/,
    'pkcs11:object=k;': /not known: no name/,
    'pkcs11:object=k?pin-value=1': /must not stand/,
    'pkcs11:object=k?max-sessions=1': /not known/,
    'pkcs11:object=%zz': /percent-encoded/,
    'pkcs11:object=%4': /percent-encoded/,
    'pkcs11:object=k;slot-id=x': /a number/,
    'pkcs11:object=k;type=public': /private key that signs/,
    'pkcs11:object=k?pin-source=|cat': /whole path/,
    'pkcs11:object=k?pin-source=file:pin': /whole path/,
  };
  for (const [address, message] of Object.entries(refused))
    t.throws(() => readTokenUri(address), { code: 'USAGE', message }, address);
  t.end();
});
