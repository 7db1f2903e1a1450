// Readers of what lies beside the weights and of what vouches for them: samples, and what holds for any mutant of them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePolicy } from '../../../src/baseline/policy/document/parse-policy.ts';
import type { Violation } from '../../../src/document/violations.ts';
import { readMbom } from '../../../src/proof/bom/mbom-document.ts';
import { readBundle } from '../../../src/proof/sign/bundle/bundle.ts';
import { Refused } from '../../../src/proof/sign/refusal.ts';
import { readExtensions } from '../../../src/proof/sign/signer/extension.ts';
import { readModelStatement } from '../../../src/proof/sign/statement/model-statement.ts';
import { readStatement } from '../../../src/proof/sign/statement/statement.ts';
import { SteelyardError } from '../../../src/rules/error.ts';
import { atOnce } from '../../../src/runtime/turn.ts';
import { readAdapterConfig } from '../../../src/scan/adapter/config/adapter-config.ts';
import { identify } from '../../../src/scan/identify/identify.ts';
import { readDigestList } from '../../../src/scan/model/claim/digest-list.ts';
import { packageRoot } from '../root.ts';
import { memory } from '../specimen/inspected.ts';
import { breachOfFindings } from './law.ts';
import type { Target } from './targets.ts';

const fixture = (...path: string[]): Buffer => readFileSync(join(packageRoot, 'fixtures', ...path));

interface Beside {
  readonly name: string;
  readonly path: string;
  readonly kind: string;
  readonly text?: string;
  readonly base64?: string;
}

const beside = (): Beside[] => JSON.parse(fixture('vectors', 'beside.json').toString());
const bytesOf = ({ text, base64 = '' }: Beside): Buffer =>
  text === undefined ? Buffer.from(base64, 'base64') : Buffer.from(text);

/** `path` decides what loaders take a file for. It is told what it is, within its bytes, by rules that there are. */
function identified(path: string, wanted: (vector: Beside) => boolean): Target {
  return {
    samples: () => beside().filter(wanted).map(bytesOf),
    breach: (bytes) => {
      const { violations } = atOnce(identify(path, memory(bytes)));
      return breachOfFindings(violations as readonly Violation[], bytes.length);
    },
  };
}

/** Reads it, or refuses with one of these codes; anything else is an escape. */
const reads =
  (read: (bytes: Uint8Array) => unknown, ...codes: string[]): Target['breach'] =>
  (bytes) => {
    try {
      read(bytes);
      return null;
    } catch (error) {
      if (error instanceof SteelyardError && codes.includes(error.code)) return null;
      if (error instanceof Refused && codes.includes('refused')) return null;
      return `throws ${error}`;
    }
  };

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

function bundles(): Buffer[] {
  const folder = join('compat', 'model-signing');
  return readdirSync(join(packageRoot, 'fixtures', folder))
    .filter((name) => name.endsWith('.sig'))
    .map((name) => fixture(folder, name))
    .filter(({ length }) => length < 16_384);
}

function certificates(): Buffer[] {
  return bundles().flatMap((bytes) => {
    const { verificationMaterial: material } = JSON.parse(bytes.toString());
    const chain =
      material.x509CertificateChain?.certificates ?? (material.certificate ? [material.certificate] : []);
    return chain.map(({ rawBytes }: { rawBytes: string }) => Buffer.from(rawBytes, 'base64'));
  });
}

const statements = (): Buffer[] =>
  bundles().map((bytes) => Buffer.from(JSON.parse(bytes.toString()).dsseEnvelope.payload, 'base64'));

const POLICY = `schema: steelyard/policy/1
failOn: medium
unexamined: listed
tensors:
  "model.layers.*.weight": { dtype: [F16, BF16], shape: [hidden, "?"], count: 2..4 }
  "lm_head.weight": {}
files: ["*.json", README.md]
severity: { stats/zero: low }
accept: ["sha256:${'ab'.repeat(32)}"]
waivers:
  - { rule: stats/nan, sha256: "sha256:${'cd'.repeat(32)}", reason: known, owner: me, expires: 2030-01-31 }
`;

const DIGEST = `sha256:${'12'.repeat(32)}`;
const MBOM = `schema: steelyard/mbom/1
model:
  name: "llama"
  digest: ${DIGEST}
runtime_image: "registry.example/server:1@${DIGEST}"
files:
  - path: "model.safetensors"
    sha256: ${DIGEST}
    size: 887720
`;
const LISTS = [
  `${'ab'.repeat(32)}  model.safetensors\n${'cd'.repeat(32)} *b\\\\n.bin\n# words\n`,
  `SHA256 (model.safetensors) = ${'ab'.repeat(32)}\n${'ef'.repeat(20)}\n`,
];
const CONFIGS = [
  {
    peft_type: 'LORA',
    r: 8,
    lora_alpha: 16,
    target_modules: ['q_proj'],
    rank_pattern: { '^a.*b$': 4 },
    alpha_pattern: {},
  },
  { peft_type: 'ADALORA', r: 8, rank_pattern: { a: [true, false] }, target_modules: '.*\\.(q|v)_proj' },
  { fine_tune_type: 'lora', num_layers: 16, lora_parameters: { rank: 8, scale: 20, keys: ['q'] } },
];

const packed =
  (pattern: RegExp) =>
  ({ name }: Beside): boolean =>
    pattern.test(name);

export const OUTSIDE: Readonly<Record<string, Target>> = {
  pickle: identified('a.pt', packed(/^pickle-(?!zip|npz|in|gzip|zlib|encrypted)/)),
  zip: identified('m.bin', packed(/zip|encrypted|keras|torchscript/)),
  tar: identified('m.nemo', packed(/nemo|pickle-system/)),
  npz: identified('emb.npz', packed(/npz|numpy/)),
  compressed: identified('m.joblib', packed(/gzip|zlib|pickle-system/)),
  'files-beside': identified('x.bin', ({ kind }) => !['pickle', 'json'].includes(kind)),
  configuration: identified('config.json', ({ kind }) => kind === 'json'),
  certificates: { samples: certificates, breach: reads(readExtensions) },
  bundles: { samples: bundles, breach: reads(readBundle, 'refused') },
  statements: {
    samples: statements,
    breach: reads((bytes) => readModelStatement(readStatement(bytes)), 'refused'),
  },
  policy: {
    samples: () => [Buffer.from(POLICY)],
    breach: reads((bytes) => parsePolicy(text(bytes)), 'INVALID_POLICY'),
  },
  mbom: { samples: () => [Buffer.from(MBOM)], breach: reads(readMbom, 'INVALID_MBOM') },
  'digest-lists': {
    samples: () => LISTS.map((one) => Buffer.from(one)),
    breach: reads((bytes) => readDigestList(text(bytes), 'SHA256SUMS')),
  },
  'adapter-config': {
    samples: () => CONFIGS.map((one) => Buffer.from(JSON.stringify(one))),
    breach: reads(readAdapterConfig),
  },
};
