// The checks that signed documents are accepted by, held against the schemas that say what is wrong with the others.
import { test } from 'tap';
import { isBundle } from '../../src/proof/sign/bundle/bundle.ts';
import {
  accepted,
  bundleSchema,
  checked,
  legacyBundleSchema,
  modelPredicateSchema,
  statementSchema,
} from '../../src/proof/sign/bundle/bundle-schema.ts';
import { isLegacyBundle } from '../../src/proof/sign/signer/cosign.ts';
import { isModelPredicate } from '../../src/proof/sign/statement/model-statement.ts';
import { isStatement } from '../../src/proof/sign/statement/statement.ts';
import { refused } from '../kit/golden.ts';
import type { Anything } from '../kit/specimen/forgery.ts';

const HEX = 'a'.repeat(64);
const BUNDLE = { mediaType: 'm', verificationMaterial: {} };
const ENVELOPE = { payload: 'p', payloadType: 't', signatures: [{ sig: 's', keyid: 'k' }, { sig: 's' }] };
const KEY = { hint: 'h', rawBytes: 'r', keyDetails: 'd' };
const CERTIFICATE = { rawBytes: 'r' };
const MESSAGE = { messageDigest: { algorithm: 'SHA2_256', digest: 'd' }, signature: 's' };

/** Documents with everything in them that may be there. */
const DOCUMENTS: [string, (value: unknown) => boolean, () => Anything, Anything][] = [
  [
    'bundle',
    isBundle,
    bundleSchema,
    {
      ...BUNDLE,
      verificationMaterial: {
        publicKey: KEY,
        x509CertificateChain: { certificates: [CERTIFICATE] },
        certificate: CERTIFICATE,
        tlogEntries: [{}, 1],
        timestampVerificationData: { rfc3161Timestamps: [] },
      },
      dsseEnvelope: ENVELOPE,
      messageSignature: MESSAGE,
    },
  ],
  [
    'bundle of cosign 2',
    isLegacyBundle,
    legacyBundleSchema,
    { base64Signature: 's', cert: 'c', rekorBundle: {} },
  ],
  [
    'statement',
    isStatement,
    statementSchema,
    {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'n', digest: { sha256: HEX } }, { digest: { sha256: HEX } }],
      predicateType: 't',
      predicate: {},
    },
  ],
  [
    'predicate',
    isModelPredicate,
    modelPredicateSchema,
    {
      serialization: { method: 'files', hash_type: 'sha256', ignore_paths: ['p'] },
      resources: [{ name: 'n', algorithm: 'sha256', digest: HEX }],
    },
  ],
];

const VALUES: readonly Anything[] = [
  ...[null, true, 0, 1, 1.5, '', 'x', '\n', {}, [], [1], ['x'], [{}], { length: 1 }],
  ...[
    HEX,
    HEX.slice(1),
    `${HEX}a`,
    HEX.toUpperCase(),
    `${HEX}\n`,
    `\n${HEX}`,
    `x${HEX}`,
    `${'a'.repeat(63)}g`,
  ],
  ...['SHA2_384', 'SHA2_512', 'SHA2_224', 'sha2_256', 'files', 'shards', 'file', 'sha512'],
  ...['x'.repeat(40), 'x'.repeat(41), `${'x'.repeat(39)}\n`, '😀'.repeat(40), '😀'.repeat(41)],
  ...[
    '-sharded-1',
    '-sharded-100',
    '-sharded-1.0',
    '-sharded-1.1',
    '-sharded-1x0',
    '-sharded-',
    '-sharded-x',
    'x',
  ].map((rest) => `sha256${rest}`),
  ...['xsha256', 'https://in-toto.io/Statement/v0.1', 'https://in-toto.io/Statement/v1'],
];

type Path = readonly (string | number)[];

/** Of the value and of everything in it. */
const pathsOf = (value: Anything, path: Path = []): Path[] => [
  path,
  ...(typeof value === 'object' && value !== null
    ? Object.keys(value).flatMap((key) => pathsOf(value[key], [...path, key]))
    : []),
];

/** The document with something else at a path. */
function changed(document: Anything, path: Path, change: (parent: Anything, key: string | number) => void) {
  const holder = { document: structuredClone(document) };
  const all = ['document', ...path];
  change(
    all.slice(0, -1).reduce((at: Anything, key) => at[key], holder),
    all.at(-1)!,
  );
  return holder.document;
}

/** One fault, or none, in each. */
function* variants(document: Anything): Generator<Anything> {
  yield document;
  for (const path of pathsOf(document)) {
    for (const value of VALUES)
      yield changed(document, path, (parent, key) => {
        parent[key] = value;
      });
    yield changed(document, path, (parent, key) => {
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
    });
    yield changed(document, path, (parent, key) => {
      const value = parent[key];
      if (Array.isArray(value)) value.push(1);
      else if (typeof value === 'object') value.more = 1;
    });
    for (const length of [1, 2, 16, 17])
      yield changed(document, path, (parent, key) => {
        if (Array.isArray(parent[key])) parent[key] = new Array(length).fill(parent[key][0]);
      });
  }
}

for (const [name, check, schema, document] of DOCUMENTS)
  test(`${name}: the check accepts what the schema does, and nothing else`, (t) => {
    const zod = schema();
    t.ok(check(document), 'the whole document');
    let accepted = 0;
    let count = 0;
    for (const one of variants(document)) {
      const { success } = zod.safeParse(one);
      if (check(one) !== success) t.fail(`${JSON.stringify(one)}: the schema says ${success}`);
      accepted += Number(success);
      count++;
    }
    t.ok(accepted > 20 && count - accepted > 50, `${accepted} of ${count} accepted`);
    t.end();
  });

test('what a check does not accept is left to the schema', (t) => {
  const never = (value: unknown): value is never => value === undefined;
  const predicate = DOCUMENTS.at(-1)![3];
  t.same(accepted(never, modelPredicateSchema as () => Anything, predicate, 'predicate'), predicate);
  t.equal(
    refused(() => checked(statementSchema(), [], 'statement')),
    'MALFORMED_BUNDLE | the statement is not as it must be: Invalid input: expected object, received array',
  );
  t.end();
});
