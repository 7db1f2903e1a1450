// Keyless signatures, by Sigstore's own mock of its services.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { claimsOf } from '../../../src/proof/keys/keyless/identity-token.ts';
import { type KeylessOptions, keylessSigner } from '../../../src/proof/keys/keyless/keyless.ts';
import { signDocument } from '../../../src/proof/sign/sign.ts';
import { verifyDocument } from '../../../src/proof/sign/verify.ts';
import { packageRoot } from '../../kit/root.ts';
import { steelyard } from '../../kit/steelyard.ts';
import { type Fault, Sigstore, tokenOf, withoutSigstore } from './sigstore.ts';
import { withPeers } from './token.ts';

/** What the authority is asked. */
interface Request {
  readonly credentials: { oidcIdentityToken: string };
  readonly publicKeyRequest: { publicKey: { content: string | Buffer } };
}

t.setTimeout(300_000);

const MODEL = join(packageRoot, 'fixtures/real/tiny-lora');
const DOCUMENT = Buffer.from('the bytes of an MBOM');
const WHO = { identity: 'release@acme.example', issuer: 'https://issuer.example' };
const TOKEN = tokenOf({ sub: '7', email: WHO.identity });

t.test('models and documents are signed by an identity', { skip: withoutSigstore }, async (t) => {
  const sigstore = await Sigstore.start();
  t.teardown(sigstore.close);
  const folder = t.testdir({
    'signing.json': sigstore.signingConfig,
    'root.json': sigstore.trustedRoot,
    token: `${TOKEN}\n`,
  });
  const at = (name: string): string => join(folder, name);
  const how = ['--keyless', at('signing.json'), '--signing-root', at('root.json')];
  const trust = ['--trusted-root', at('root.json'), '--identity', WHO.identity, '--issuer', WHO.issuer];

  const signed = await withPeers([
    'sign',
    MODEL,
    ...how,
    '--identity-token',
    at('token'),
    '--yes',
    '-o',
    at('model.sig'),
  ]);
  t.equal(signed.code, 0, signed.stderr);
  t.match(signed.stderr, /signing as release@acme\.example, vouched for by https:\/\/issuer\.example/);
  const verified = await steelyard(['verify', MODEL, '--signature', at('model.sig'), ...trust]);
  t.equal(verified.code, 0, verified.stdout);
  const other = await steelyard([
    'verify',
    MODEL,
    '--signature',
    at('model.sig'),
    ...trust.slice(0, 2),
    '--identity',
    'elease@acme.example',
    '--issuer',
    WHO.issuer,
  ]);
  t.match([other.code, other.stdout], [1, /WRONG_IDENTITY/]);

  await withPeers(['bom', 'create', MODEL, '-o', at('m.mbom.yaml')]);
  const env = { SIGSTORE_ID_TOKEN: TOKEN };
  const mbom = await withPeers(
    ['sign', at('m.mbom.yaml'), ...how, '--yes', '-o', at('m.sigstore.json')],
    env,
  );
  t.equal(mbom.code, 0, mbom.stderr);
  const bundle = readFileSync(at('m.sigstore.json'));
  const document = readFileSync(at('m.mbom.yaml'));
  const whom = { method: 'identity', trustedRoot: sigstore.trustedRoot, ...WHO } as const;
  t.equal(verifyDocument(document, bundle, whom).verified, true);
  const json = JSON.parse(bundle.toString());
  t.equal(json.mediaType, 'application/vnd.dev.sigstore.bundle.v0.3+json');
  t.equal(json.verificationMaterial.timestampVerificationData.rfc3161Timestamps.length, 1);

  t.test('every byte of the document, and of what the bundle holds, counts', (t) => {
    for (let index = 0; index < document.length; index += 5) {
      const changed = Buffer.from(document);
      changed[index]! ^= 1;
      t.equal(verifyDocument(changed, bundle, whom).verified, false);
    }
    for (let index = 0; index < bundle.length; index += 11) {
      const changed = Buffer.from(bundle);
      changed[index]! ^= 1;
      const outcome = verifyDocument(document, changed, whom);
      if (outcome.verified) t.match(outcome.signer, WHO, `byte ${index} is of no meaning to a verifier`);
    }
    t.end();
  });

  t.test('the token goes to the authority alone, and stands nowhere', (t) => {
    const secret = TOKEN.split('.')[1]!;
    for (const text of [
      signed.stderr,
      signed.stdout,
      mbom.stderr,
      bundle.toString(),
      readFileSync(at('model.sig'), 'utf8'),
    ])
      t.notOk(text.includes(secret));
    const shown = sigstore.seen.filter((one) => one.includes(secret));
    t.equal(shown.length, 2);
    for (const one of shown) t.ok(one.startsWith('/api/v2/signingCert '));
    t.end();
  });

  t.test('who is not asked, or cannot be, does not sign', async (t) => {
    const cases: [args: string[], said: RegExp, env?: NodeJS.ProcessEnv][] = [
      [[...how, '--identity-token', at('token')], /nobody is there to confirm: use --yes/],
      [[...how, '--yes'], /there is no identity token/],
      [[...how, '--yes', '--key', at('token')], /leave --key/],
      [[...how.slice(0, 2), '--yes'], /needs --signing-root/],
      [[], /say what signs: --key, or --keyless/],
      [
        ['--keyless', at('root.json'), '--signing-root', at('root.json'), '--yes'],
        /the signing config cannot be used/,
      ],
      [
        ['--keyless', at('signing.json'), '--signing-root', at('signing.json'), '--yes'],
        /the trusted root cannot be read/,
      ],
      [[...how, '--yes'], /it is no JSON web token/, { SIGSTORE_ID_TOKEN: 'secret-77' }],
    ];
    for (const [args, said, env] of cases) {
      const { code, stderr } = await withPeers(['sign', MODEL, ...args, '-o', at('no.sig')], env);
      t.equal(code, 2);
      t.match(stderr, said);
      t.notMatch(stderr, /secret-77/);
      t.throws(() => readFileSync(at('no.sig')), { code: 'ENOENT' });
    }
  });
});

t.test('services that lie', { skip: withoutSigstore }, async (t) => {
  const sigstore = await Sigstore.start();
  const other = await Sigstore.start();
  t.teardown(sigstore.close);
  t.teardown(other.close);
  const signing = (more: Partial<KeylessOptions> = {}): Promise<string> =>
    keylessSigner({
      ...{ signingConfig: sigstore.signingConfig, trustedRoot: sigstore.trustedRoot, token: TOKEN },
      ...{ confirm: async () => undefined, patience: 20, ...more },
    }).then((signer) => signDocument(DOCUMENT, signer));
  await signing();
  const on =
    (path: string, change: (text: string, body: string) => string | Buffer | Promise<string>): Fault =>
    async (at, answer, body) =>
      at === path ? { ...answer, response: await change(answer.response.toString(), body) } : answer;
  const [CA, LOG, TSA] = ['/api/v2/signingCert', '/api/v1/log/entries', '/api/v1/timestamp'];
  const entry = (text: string, change: (one: Record<string, unknown>) => void): string => {
    const entries = JSON.parse(text);
    change(Object.values(entries)[0] as Record<string, unknown>);
    return JSON.stringify(entries);
  };
  const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
    type: 'spki',
    format: 'pem',
  });
  let first: string | null = null;
  const elsewhere = async (body: string, path: string): Promise<string> => {
    const answer = await fetch(new URL(path, other.tsaUrl), { method: 'POST', body });
    return answer.text();
  };
  const again = async (body: string, path: string): Promise<string> => {
    const answer = await fetch(new URL(path, sigstore.tsaUrl), {
      method: 'POST',
      body,
      headers: { again: 'yes' },
    });
    return answer.text();
  };
  let asking = false;
  const asked =
    (path: string, change: (body: Request) => void): Fault =>
    async (at, answer, body) => {
      if (at !== path || asking) return answer;
      asking = true;
      const json = JSON.parse(body);
      change(json);
      const response = await again(JSON.stringify(json), path);
      asking = false;
      return { ...answer, response };
    };
  const cases: [name: string, fault: Fault, code: string, message: RegExp][] = [
    [
      'a certificate for another key',
      asked(CA, (body) => {
        body.publicKeyRequest.publicKey.content = pem;
      }),
      'INVALID_DOCUMENT',
      /does not verify/,
    ],
    [
      'a certificate for somebody else',
      asked(CA, (body) => {
        body.credentials.oidcIdentityToken = tokenOf({ sub: '1', email: 'mallory@acme.example' });
      }),
      'INVALID_DOCUMENT',
      /for somebody else: mallory@acme\.example/,
    ],
    [
      'a certificate by another issuer',
      asked(CA, (body) => {
        body.credentials.oidcIdentityToken = tokenOf({ iss: 'https://evil.example', email: WHO.identity });
      }),
      'INVALID_DOCUMENT',
      /for somebody else: .* https:\/\/evil\.example/,
    ],
    [
      'another authority',
      on(CA, (_, body) => elsewhere(body, CA)),
      'INVALID_DOCUMENT',
      /does not verify \(UNTRUSTED_CERTIFICATE\)/,
    ],
    ['another log', on(LOG, (_, body) => elsewhere(body, LOG)), 'INVALID_DOCUMENT', /does not verify/],
    [
      'another entry',
      on(LOG, (text) => {
        first ??= text;
        return first;
      }),
      'INVALID_DOCUMENT',
      /does not verify/,
    ],
    [
      'an entry that says another time',
      on(LOG, (text) =>
        entry(text, (one) => {
          one.integratedTime = 1;
        }),
      ),
      'INVALID_DOCUMENT',
      /does not verify/,
    ],
    ['no time stamp', on(TSA, () => 'no'), 'INVALID_DOCUMENT', /does not verify/],
    [
      'another time stamp authority',
      async (at, answer, body) =>
        at === TSA
          ? {
              ...answer,
              response: Buffer.from(
                await (await fetch(other.tsaUrl, { method: 'POST', body })).arrayBuffer(),
              ),
            }
          : answer,
      'INVALID_DOCUMENT',
      /does not verify/,
    ],
    ['no certificate', on(CA, () => '{}'), 'NETWORK', /keyless signing failed/],
    ['garbage from the authority', on(CA, () => 'garbage'), 'NETWORK', /gives no certificate/],
    ['garbage from the log', on(LOG, () => '[]'), 'NETWORK', /keyless signing failed/],
    [
      'a refusal that quotes the token',
      async (at, answer, body) => (at === CA ? { statusCode: 401, response: body } : answer),
      'NETWORK',
      /gives no certificate/,
    ],
    [
      'a log that is full',
      async (at, answer) => (at === LOG ? { statusCode: 400, response: '{}' } : answer),
      'NETWORK',
      /takes no entry/,
    ],
    [
      'no time',
      async (at, answer) => (at === TSA ? { statusCode: 400, response: '' } : answer),
      'NETWORK',
      /gives no time stamp/,
    ],
  ];
  for (const [name, fault, code, message] of cases) {
    sigstore.fault = fault;
    if (name === 'another entry') await signing();
    const error = await signing().then(
      () => null,
      (error) => error,
    );
    t.match(error, { code, message }, name);
    t.notOk(`${error?.message}`.includes(TOKEN.split('.')[1]!), 'no token in the message');
  }
  sigstore.fault = async () => 'silence';
  await t.rejects(
    signing({ patience: 0.2 }),
    { code: 'NETWORK', message: /gives no certificate/ },
    'silence ends',
  );
  await t.rejects(
    signing({
      confirm: async () => {
        throw new Error('no');
      },
    }),
    { message: 'no' },
  );
});

t.test('an old certificate', { skip: withoutSigstore }, async (t) => {
  // In whole seconds: DER leaves out zeros at the end of a fraction, and the verifier wants three digits.
  const late = await Sigstore.start(new Date(86_400_000 + 1000 * Math.floor(Date.now() / 1000)));
  t.teardown(late.close);
  const signer = await keylessSigner({
    ...{ signingConfig: late.signingConfig, trustedRoot: late.trustedRoot, token: TOKEN },
    confirm: async () => undefined,
  });
  await t.rejects(signDocument(DOCUMENT, signer), {
    code: 'INVALID_DOCUMENT',
    message: /UNTRUSTED_CERTIFICATE/,
  });
});

t.test('what a token claims', (t) => {
  const now = new Date();
  t.same(claimsOf(tokenOf({ sub: 's', email: 'a@b.example' }), now), {
    identity: 'a@b.example',
    issuer: WHO.issuer,
    isEmail: true,
  });
  t.same(claimsOf(tokenOf({ sub: 's' }), now), { identity: 's', issuer: WHO.issuer, isEmail: false });
  t.match(claimsOf(tokenOf({ sub: 's', email: 'a@b.example', email_verified: false }), now), {
    identity: 's',
  });
  const refused: [string, RegExp][] = [
    ['', /no JSON web token/],
    ['a.b', /no JSON web token/],
    ['a.bm8.c', /no JSON web token/],
    [`a.${Buffer.from('1').toString('base64url')}.c`, /no JSON web token/],
    [tokenOf({}), /names no issuer and subject/],
    [tokenOf({ sub: 's', iss: 1 }), /names no issuer and subject/],
    [tokenOf({ sub: 's', exp: 1 }), /has expired/],
    [`a.${'A'.repeat(70_000)}.c`, /no JSON web token/],
  ];
  for (const [token, message] of refused) t.throws(() => claimsOf(token, now), { code: 'USAGE', message });
  t.end();
});

t.test('where a token may go', { skip: withoutSigstore }, async (t) => {
  const sigstore = await Sigstore.start();
  t.teardown(sigstore.close);
  const options = { trustedRoot: sigstore.trustedRoot, token: TOKEN, confirm: async () => undefined };
  for (const url of ['http://fulcio.example', 'http://127.0.0.1.example', 'ftp://x', '']) {
    const config = JSON.parse(sigstore.signingConfig);
    config.caUrls[0].url = url;
    await t.rejects(
      keylessSigner({ ...options, signingConfig: JSON.stringify(config) }),
      { code: 'USAGE' },
      url,
    );
  }
});
