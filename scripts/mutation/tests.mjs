// The tests that mutants of src/proof are tried with, without test/proof/every-byte.test.ts and the other slow ones
// (stryker.config.json, grep), so that a mutant that lives costs two seconds and not a minute.
import { load } from './load.mjs';

await load([
  'document/check',
  'proof/bom',
  'proof/limits',
  'proof/sign/certificate',
  'proof/sign/cosign',
  'proof/sign/extension',
  'proof/sign/identity',
  'proof/sign/model-digest',
  'proof/sign/sign',
  'proof/sign/statement',
]);
