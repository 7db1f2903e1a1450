// Locks, MBOMs and zones: who says what a model has to be, which places it may come from, and that this can be checked later.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parsePolicy } from '../../src/baseline/policy/document/parse-policy.ts';
import { createMbom } from '../../src/proof/bom/creation.ts';
import { digestModel } from '../../src/proof/sign/files/model-digest.ts';
import { signDocument } from '../../src/proof/sign/sign.ts';
import { type PullOptions, pull } from '../../src/pull/pull.ts';
import { lock, readLock, writeLock } from '../../src/pull/receipt/lock.ts';
import { verifyReceipt } from '../../src/pull/receipt/receipt-verification.ts';
import { packageRoot } from '../kit/root.ts';
import { steelyard } from '../kit/steelyard.ts';
import { COMMIT, hubServer } from '../source/hub-server.ts';

const TINY = readFileSync(join(packageRoot, 'fixtures', 'real', 'reference-f16.safetensors'));
const FILES = new Map([
  ['README.md', Buffer.from('# tiny\n')],
  ['tiny.safetensors', TINY],
]);
const keys = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }) as string,
  };
};
const KEY = keys();
const OTHER = keys();
const http = { pause: () => 0 };

const policyOf = (sources: string) => parsePolicy(`schema: steelyard/policy/1\nsources:\n${sources}`);
const PRODUCTION = `  production:
    allow: ['hf://acme/*']
    redirects: ['127.0.0.1']
    pin: immutable
    digest: declared
`;

t.setTimeout(600_000);

t.test('a lock', async (t) => {
  const folder = t.testdir({});
  let files = FILES;
  const hub = await hubServer({
    get files() {
      return files;
    },
  });
  t.teardown(hub.close);
  const env = { HF_ENDPOINT: hub.url };
  const written = writeLock(await lock('hf://acme/tiny', { env }));
  const locked = readLock(Buffer.from(written));
  t.match(locked, {
    schema: 'steelyard/lock/1',
    source: `hf://acme/tiny@${COMMIT}`,
    pin: { kind: 'commit' },
  });
  t.notOk(
    hub.seen.some(({ origin }) => origin === 'cdn'),
    'no weights are fetched',
  );
  const good = await pull(locked.source, { lock: locked, output: join(folder, 'good'), env, http });
  t.equal(good.outcome, 'pass');
  t.match(good.receipt!.files, [{ expected: { by: 'lock' } }, { expected: { by: 'lock' } }]);

  // The mirror changes weights and digest alike: only the lock knows.
  const flipped = Buffer.from(TINY);
  flipped[100]! ^= 1;
  files = new Map([...FILES, ['tiny.safetensors', flipped]]);
  const bad = await pull(locked.source, { lock: locked, output: join(folder, 'bad'), env, http });
  t.match(bad, { outcome: 'fail', findings: [{ rule: 'source/digest', file: 'tiny.safetensors' }] });
  files = new Map([...FILES, ['more.bin', Buffer.from('x')]]);
  const more = await pull(locked.source, { lock: locked, output: join(folder, 'more'), env, http });
  t.match(more, { outcome: 'fail', findings: [{ rule: 'source/changed', file: 'more.bin' }] });
  for (const broken of ['', '[]', written.replace('lock/1', 'lock/2'), written.replace('"pin"', '"pun"')])
    t.throws(() => readLock(Buffer.from(broken)), { code: 'USAGE' });
});

t.test('a signed MBOM', async (t) => {
  const folder = t.testdir({ model: {} });
  writeFileSync(join(folder, 'model', 'tiny.safetensors'), TINY);
  const { files } = await digestModel(join(folder, 'model'));
  const document = Buffer.from(createMbom(files, { name: 'tiny' }));
  const bundle = Buffer.from(signDocument(document, KEY));
  const hub = await hubServer({ files: FILES });
  t.teardown(hub.close);
  const asked = async (publicKey: string, name: string, sources?: string) => {
    const mbom = { document, bundle, trust: { method: 'key', publicKey } } as const;
    const policy = sources === undefined ? {} : { policy: policyOf(sources) };
    return pull(`hf://acme/tiny@${COMMIT}`, {
      mbom,
      ...policy,
      output: join(folder, name),
      env: { HF_ENDPOINT: hub.url },
      http,
    });
  };
  const good = await asked(KEY.publicKey, 'good', `${PRODUCTION}    signature: required\n`);
  t.equal(good.outcome, 'pass', JSON.stringify(good.findings));
  t.match(good.files, [{ path: 'tiny.safetensors' }], 'what the MBOM does not list is not fetched');
  t.match(good.receipt, { zone: 'production', files: [{ expected: { by: 'mbom' } }] });
  const stranger = await asked(OTHER.publicKey, 'bad');
  t.match(stranger, { outcome: 'fail', findings: [{ rule: 'source/not-allowed' }] });
});

t.test('zones', async (t) => {
  const folder = t.testdir({});
  const hub = await hubServer({ files: FILES });
  t.teardown(hub.close);
  const env = { HF_ENDPOINT: hub.url };
  const pinned = `hf://acme/tiny@${COMMIT}`;
  const locked = await lock(pinned, { env });
  const policy = policyOf(
    `${PRODUCTION}  experiment:\n    allow: [production, 's3://scratch/**']\n    redirects: ['127.0.0.1']\n`,
  );
  let count = 0;
  const rules = async (uri: string, more: Partial<PullOptions>): Promise<string> => {
    const output = join(folder, `m${count++}`);
    const result = await pull(uri, {
      policy,
      zone: 'production',
      output,
      env,
      http,
      dryRun: true,
      ...more,
    }).catch((error) => error);
    return (
      result.code ?? [result.outcome, ...result.findings.map(({ rule }: { rule: string }) => rule)].join(' ')
    );
  };
  const asked = hub.seen.length;
  t.equal(await rules('hf://evil/tiny', {}), 'fail source/not-allowed');
  t.equal(await rules('s3://scratch/a', {}), 'fail source/not-allowed');
  t.equal(await rules('hf://acme/tiny', { lock: locked }), 'fail source/unpinned', 'a branch');
  t.equal(await rules(pinned, { zone: 'staging' }), 'USAGE');
  t.equal(await rules(pinned, { zone: undefined as never }), 'USAGE', 'which of two');
  const named = policyOf(PRODUCTION.replace('127.0.0.1', 'cdn.example'));
  t.equal(
    await rules(pinned, { lock: locked, policy: named }),
    'fail source/not-allowed',
    'a mirror that the zone does not name',
  );
  t.equal(hub.seen.length, asked, 'and nobody was asked');
  t.equal(await rules(pinned, {}), 'fail source/unpinned', 'the digests of the store are not declared');
  t.equal(await rules(pinned, { lock: locked }), 'pass');
  t.equal(
    await rules(pinned, { lock: locked, policy: policyOf(`${PRODUCTION}    signature: required\n`) }),
    'fail source/unpinned',
  );
  t.equal(await rules('hf://acme/tiny', { zone: 'experiment' }), 'pass', 'a zone takes in another');

  for (const bad of [
    "  a: {allow: ['*://x']}",
    '  a: {allow: [b]}',
    '  a: {allow: [a]}',
    '  a: {allow: []}',
    "  a: {allow: ['hf://x/y'], pins: x}",
  ])
    t.throws(() => policyOf(bad), { code: 'INVALID_POLICY' }, bad);
});

t.test('a receipt says which way a model came', async (t) => {
  const folder = t.testdir({});
  const hub = await hubServer({ files: FILES });
  t.teardown(hub.close);
  const env = { HF_ENDPOINT: hub.url };
  const output = join(folder, 'model');
  const lockOf = await lock(`hf://acme/tiny@${COMMIT}`, { env });
  const policy = policyOf(PRODUCTION);
  const result = await pull(lockOf.source, {
    output,
    env,
    http,
    policy,
    lock: lockOf,
    key: KEY,
    policyDigest: `sha256:${'0'.repeat(64)}`,
  });
  t.equal(result.outcome, 'pass');
  const bundle = readFileSync(`${output}.pull.intoto.jsonl`);
  const { files } = await digestModel(output);
  const trust = { method: 'key', publicKey: KEY.publicKey } as const;
  const said = (outcome: ReturnType<typeof verifyReceipt>): string =>
    outcome.verified ? 'verified' : outcome.refusals.map(({ code }) => code).join(' ');
  t.equal(said(verifyReceipt(files, bundle, trust, { zone: 'production' })), 'verified');
  const refused: Parameters<typeof verifyReceipt>[] = [
    [files, bundle, trust, { zone: 'experiment' }],
    [files, bundle, { method: 'key', publicKey: OTHER.publicKey }, { zone: 'production' }],
    [files.slice(1), bundle, trust, { zone: 'production' }],
    [files, Buffer.alloc(0), trust, { zone: 'production' }],
    [files, Buffer.from(readFileSync(`${output}.pull.json`)), trust, { zone: 'production' }],
  ];
  for (const one of refused) t.equal(said(verifyReceipt(...one)), 'UNTRUSTED_SOURCE');

  for (const [name, key] of [
    ['key', KEY],
    ['other', OTHER],
  ] as const) {
    writeFileSync(join(folder, `${name}.pem`), key.privateKey);
    writeFileSync(join(folder, `${name}.pub`), key.publicKey);
  }
  const signature = join(folder, 'model.sig');
  t.equal((await steelyard(['sign', output, '--key', join(folder, 'key.pem'), '-o', signature])).code, 0);
  const verify = (...args: string[]) =>
    steelyard(['verify', output, '--signature', signature, '--public-key', join(folder, 'key.pub'), ...args]);
  t.equal((await verify('--zone', 'production', '--receipt-key', join(folder, 'key.pub'))).code, 0);
  const other = await verify('--zone', 'production', '--receipt-key', join(folder, 'other.pub'));
  t.equal(other.code, 1);
  t.match(other.stdout, /^UNTRUSTED_SOURCE/m);
  t.equal((await verify('--zone', 'production')).code, 2);
});
