// This package as it is installed: where, and which version.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SteelyardError } from '../rules/error.ts';

// A bundle in CommonJS has no import.meta.url.
const here: string | undefined = import.meta.url;
if (here === undefined) throw bundled('a bundle in CommonJS');
const [root, version] = installed(dirname(fileURLToPath(here)));

/** The folder of package.json: dist/ and the build for tests lie at different depths below it. */
export const PACKAGE_ROOT: string = root;
export const VERSION: string = version;

/** A module that is started by its name, in a thread or a process. This one lies one folder below the top of every build. */
export const moduleUrl = (name: string): URL => new URL(`../${name}.js`, import.meta.url);

function installed(start: string): readonly [root: string, version: string] {
  for (let folder = start; ; folder = dirname(folder)) {
    const path = join(folder, 'package.json');
    if (existsSync(path)) {
      const { name, version } = JSON.parse(readFileSync(path, 'utf8'));
      if (name === 'steelyard') return [folder, version];
    }
    if (folder === dirname(folder)) throw bundled(start);
  }
}

/** A bundler has taken this file out of its package, away from the addon and from the modules that workers start. */
function bundled(folder: string): SteelyardError {
  return new SteelyardError(
    'NATIVE_UNAVAILABLE',
    `steelyard cannot find its own package from ${folder}: a bundler has copied its code; ` +
      'mark steelyard as external in the configuration of the bundler, and install it beside the bundle',
  );
}
