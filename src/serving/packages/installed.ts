// What is installed, as four package managers keep or print it: pip inspect, dpkg's status, apk's database, npm ls. Nothing is run.
import { readForeignJson } from '../../document/own-json.ts';
import { SteelyardError } from '../../rules/error.ts';
import { type Ecosystem, nameIn, type Package } from './package-url.ts';

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};

/** @throws SteelyardError INVALID_DOCUMENT: it is not what the package manager writes. */
export const READERS: Readonly<Record<Ecosystem, (bytes: Uint8Array, name: string) => readonly Package[]>> = {
  pypi: readPip,
  deb: readDpkg,
  apk: readApk,
  npm: readNpm,
};

const invalid = (name: string, reason: string): SteelyardError =>
  new SteelyardError('INVALID_DOCUMENT', `${name}:1:1: ${reason}`);

/** `pip inspect --local`. */
function readPip(bytes: Uint8Array, name: string): readonly Package[] {
  const { installed } = record(readForeignJson(bytes, name));
  if (!Array.isArray(installed)) throw invalid(name, 'not what `pip inspect` prints');
  return installed.map((one) => packageFrom('pypi', record(record(one).metadata), 'name', 'version', name));
}

function packageFrom(
  ecosystem: Ecosystem,
  fields: Readonly<Record<string, unknown>>,
  nameField: string,
  versionField: string,
  file: string,
): Package {
  const [name, version] = [fields[nameField], fields[versionField]];
  // To skip it would be to say that it is not installed.
  if (typeof name !== 'string' || typeof version !== 'string' || name === '' || version === '') {
    throw invalid(file, `an entry without ${nameField} or ${versionField}`);
  }
  return { ecosystem, name: nameIn(ecosystem, name), version };
}

/** `/var/lib/dpkg/status`, or the files of `status.d` one after the other: paragraphs of `Field: value`. */
function readDpkg(bytes: Uint8Array, name: string): readonly Package[] {
  return paragraphs(bytes, /^([A-Za-z][A-Za-z0-9-]*):[ \t]*(.*)$/)
    .filter(({ Status = 'install ok installed' }) => Status.endsWith(' installed'))
    .map((fields) => packageFrom('deb', fields, 'Package', 'Version', name));
}

/** `/lib/apk/db/installed`: paragraphs of `P:name`, `V:version`. */
function readApk(bytes: Uint8Array, name: string): readonly Package[] {
  return paragraphs(bytes, /^([A-Za-z]):(.*)$/).map((fields) => packageFrom('apk', fields, 'P', 'V', name));
}

function paragraphs(bytes: Uint8Array, field: RegExp): Record<string, string>[] {
  const found: Record<string, string>[] = [];
  let fields: Record<string, string> | null = null;
  for (const line of Buffer.from(bytes).toString('utf8').split(/\r?\n/)) {
    if (line.trim() === '') {
      fields = null;
      continue;
    }
    const [, key, value] = field.exec(line) ?? [];
    if (key === undefined) continue; // a continued line
    if (fields === null) {
      fields = Object.create(null) as Record<string, string>;
      found.push(fields);
    }
    fields[key] ??= value!;
  }
  return found;
}

/** `npm ls --all --json`: a tree, in which one package may stand many times. */
function readNpm(bytes: Uint8Array, name: string): readonly Package[] {
  const root = record(readForeignJson(bytes, name));
  if (!('dependencies' in root) && !('name' in root)) throw invalid(name, 'not what `npm ls --json` prints');
  const found = new Map<string, Package>();
  const open = [root];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    for (const [key, value] of Object.entries(record(one.dependencies))) {
      const fields = record(value);
      open.push(fields);
      // An optional package that is not there has no version.
      if (fields.version === undefined && (fields.missing === true || Object.keys(fields).length === 0))
        continue;
      const installed = packageFrom('npm', { ...fields, name: key }, 'name', 'version', name);
      found.set(`${installed.name}@${installed.version}`, installed);
    }
  }
  return [...found.values()];
}
