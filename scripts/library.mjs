// dist/: the code in as few chunks as a start needs, and one rolled-up declaration for each face of the library. A gate starts once for
// every file, and Node takes half a millisecond for each module beside the time to compile it.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { transformSync } from 'esbuild';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';

/** Modules that are started by their name, in a thread or a process (`moduleUrl`). */
const STARTED = [
  'cli/main',
  'scan/measure/thread/worker',
  'scan/measure/difference/difference-worker',
  'scan/measure/process/isolated',
  'diff/adapter/worker',
];
const TYPES = join('build', 'types');
const known = new Map();

const faces = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((path) => /(^|[/\\])index\.ts$/.test(path))
  .map((path) => path.slice(0, -'.ts'.length).replaceAll('\\', '/'))
  .sort();

/** What starts often. Modules that the same ones of these need are one chunk; all others are divided by the bundler alone. */
const OFTEN = [
  'scan/measure/thread/worker',
  'cli/main',
  'index',
  'baseline/stages',
  'cli/terminal/rendering',
].map((name) => resolve('src', `${name}.ts`));

/** Types away, and comments with them. */
const typescript = {
  name: 'typescript',
  transform: (code) => ({
    ...transformSync(code, { loader: 'ts', target: 'node20', tsconfigRaw: TSCONFIG }),
    map: null,
  }),
};
const TSCONFIG = { compilerOptions: { verbatimModuleSyntax: true } };

rmSync('dist', { recursive: true, force: true });
const code = await rollup({
  input: Object.fromEntries([...faces, ...STARTED].map((name) => [name, join('src', `${name}.ts`)])),
  external: (id) => !id.startsWith('.') && !existsSync(id),
  plugins: [typescript],
});
await code.write({
  dir: 'dist',
  format: 'es',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunk/[name]-[hash].js',
  manualChunks: chunkOf,
});
await code.close();

rmSync(TYPES, { recursive: true, force: true });
const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', TYPES], { stdio: 'inherit' });
const declared = await rollup({
  input: Object.fromEntries(faces.map((name) => [name, join(TYPES, `${name}.d.ts`)])),
  external: (id) => !id.startsWith('.') && !existsSync(id),
  plugins: [dts()],
});
await declared.write({
  dir: 'dist',
  format: 'es',
  entryFileNames: '[name].d.ts',
  chunkFileNames: 'chunk/[name]-[hash].d.ts',
});
await declared.close();

function chunkOf(id, { getModuleInfo }) {
  const users = OFTEN.flatMap((start, i) => (reached(start, getModuleInfo).has(id) ? [i] : []));
  return users.length === 0 || OFTEN.includes(id) ? undefined : `start-${users.join('')}`;
}

/** Everything that is loaded with a module. */
function reached(start, getModuleInfo) {
  if (known.has(start)) return known.get(start);
  const all = new Set([start]);
  for (const id of all) for (const next of getModuleInfo(id)?.importedIds ?? []) all.add(next);
  known.set(start, all);
  return all;
}
