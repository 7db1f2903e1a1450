// The tests that mutants are tried with: those of src/proof, without test/proof/every-byte.test.ts and the other
// slow ones (stryker.config.json, grep), so that a mutant that lives costs two seconds and not a minute.
await import('../../out/src/index.js');
// What a test file makes while it is loaded is made by unmutated code: only mutants of what src/ does when it is loaded
// need a process of their own. Stryker counts who runs what by this name.
if (globalThis.__stryker__ !== undefined) globalThis.__stryker__.currentTestId = 'loading';
const names = [
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
];
// A file whose first lines fail already is a test that fails.
const failing = (name) => (error) =>
  it(`${name} is loaded`, () => {
    throw error;
  });
for (const name of names) await import(`../../out/test/${name}.test.js`).catch(failing(name));
