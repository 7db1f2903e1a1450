// Loads test files into mocha, after the code that they try.
await import('../../out/src/index.js');
// What a test file makes while it is loaded is made by unmutated code: only mutants of what src/ does when it is loaded
// need a process of their own. Stryker counts who runs what by this name.
if (globalThis.__stryker__ !== undefined) globalThis.__stryker__.currentTestId = 'loading';

// A file whose first lines fail already is a test that fails.
const failing = (name) => (error) =>
  it(`${name} is loaded`, () => {
    throw error;
  });

export async function load(names) {
  for (const name of names) await import(`../../out/test/${name}.test.js`).catch(failing(name));
}
