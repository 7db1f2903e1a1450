// docs/schemas are the schemas that check the documents, and the documents keep them. STEELYARD_UPDATE_GOLDEN=1 writes them.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import type { ZodType } from 'zod';
import { policySchemas } from '../../src/baseline/policy/document/policy-schema.ts';
import { CanarySchema } from '../../src/canary/compare/canary-schema.ts';
import { FingerprintSchema } from '../../src/canary/fingerprint/fingerprint-schema.ts';
import { RunSchema } from '../../src/canary/run/run-schema.ts';
import { SuiteSchema } from '../../src/canary/suite/suite-schema.ts';
import { SweepSchema } from '../../src/canary/sweep/sweep-file.ts';
import { diffSchema } from '../../src/diff/report/diff-schema.ts';
import { populationSchema } from '../../src/diff/report/population-schema.ts';
import { zod } from '../../src/document/zod.ts';
import { FoundSchema } from '../../src/gate/incident/found-schema.ts';
import { GateSchema } from '../../src/gate/release-policy/schema.ts';
import { VerdictSchema } from '../../src/gate/verdict/verdict-schema.ts';
import { profile, profileChunks, renderJson, scan } from '../../src/index.ts';
import { mbomSchema } from '../../src/proof/bom/mbom-schema.ts';
import { trustSchema } from '../../src/proof/keys/trust-schema.ts';
import { LockSchema, ReceiptSchema } from '../../src/pull/receipt/receipt-schema.ts';
import { reportSchema } from '../../src/report/report-schema.ts';
import { DOCUMENTS, type DocumentName, jsonSchema } from '../../src/report/schemas.ts';
import { profileSchemas } from '../../src/scan/profile/document/profile-schema.ts';
import { DriftSchema } from '../../src/serving/drift/record.ts';
import { EgressSchema } from '../../src/serving/egress/egress-schema.ts';
import { ServingSchema } from '../../src/serving/lint/serving-schema.ts';
import { ProvenanceSchema } from '../../src/serving/provenance/provenance-document.ts';
import { packageRoot } from '../kit/root.ts';

const REAL = join(packageRoot, 'fixtures', 'real', 'reference-all-dtypes.safetensors');
const LORA = join(packageRoot, 'fixtures', 'real', 'tiny-lora');

/** Where each schema is made. */
const SCHEMAS: Readonly<Record<DocumentName, () => ZodType>> = {
  report: reportSchema,
  profile: () => profileSchemas().ProfileSchema,
  policy: () => policySchemas().PolicySchema,
  mbom: mbomSchema,
  trust: trustSchema,
  diff: diffSchema,
  population: populationSchema,
  pull: () => ReceiptSchema,
  lock: () => LockSchema,
  gate: () => GateSchema,
  verdict: () => VerdictSchema,
  found: () => FoundSchema,
  serving: () => ServingSchema,
  egress: () => EgressSchema,
  fingerprint: () => FingerprintSchema,
  'canary-suite': () => SuiteSchema,
  'canary-run': () => RunSchema,
  'canary-sweep': () => SweepSchema,
  canary: () => CanarySchema,
  provenance: () => ProvenanceSchema,
  drift: () => DriftSchema,
};

t.test('docs/schemas are the schemas that check the documents', (t) => {
  for (const name of DOCUMENTS) {
    const options = { io: 'input', target: 'draft-2020-12' } as const;
    const made = { title: `steelyard/${name}/1`, ...zod().toJSONSchema(SCHEMAS[name](), options) };
    const path = join(packageRoot, 'docs', 'schemas', `${name}-1.json`);
    const text = `${JSON.stringify(made, null, 2)}\n`;
    if (process.env.STEELYARD_UPDATE_GOLDEN === '1') {
      mkdirSync(join(packageRoot, 'docs', 'schemas'), { recursive: true });
      writeFileSync(path, text);
    }
    t.equal(existsSync(path) ? readFileSync(path, 'utf8') : '', text, path);
  }
  t.end();
});

t.test('documents keep their schemas', async (t) => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const keeps = (name: DocumentName, document: unknown): void => {
    const check = ajv.compile(jsonSchema(name));
    t.ok(check(document), `${name}: ${JSON.stringify(check.errors?.[0])}`);
  };
  keeps('report', JSON.parse(renderJson(await scan(REAL, { rows: true, timing: true }))));
  keeps('profile', JSON.parse([...profileChunks(await profile(LORA, { rows: true }))].join('')));
  keeps('policy', {
    schema: 'steelyard/policy/1',
    tensors: { 'a.{0..3}': { dtype: 'F16', shape: ['d', 3] } },
  });
  t.notOk(ajv.compile(jsonSchema('policy'))({ schema: 'steelyard/policy/1', tensor: {} }));
});
