// This package as it is installed: where, and which version.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json: dist/ and the build for tests lie at different depths below it. */
export const PACKAGE_ROOT: string = folderOfPackage(dirname(fileURLToPath(import.meta.url)));

export const VERSION: string = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')).version;

/** A module that is started by its name, in a thread or a process. This one lies one folder below the top of every build. */
export const moduleUrl = (name: string): URL => new URL(`../${name}.js`, import.meta.url);

function folderOfPackage(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  return folderOfPackage(dirname(folder));
}
