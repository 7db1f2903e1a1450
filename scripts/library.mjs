// dist/: the code bundled by esbuild, one chunk for what several entries share, and one rolled-up declaration for each face of the
// library. A gate starts once for every file, and Node takes 0.3 ms per module.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
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

const faces = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((path) => /(^|[/\\])index\.ts$/.test(path))
  .map((path) => path.slice(0, -'.ts'.length).replaceAll('\\', '/'))
  .sort();

rmSync('dist', { recursive: true, force: true });
await build({
  entryPoints: [...faces, ...STARTED].map((name) => `src/${name}.ts`),
  outbase: 'src',
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  chunkNames: 'chunk/[name]-[hash]',
  logLevel: 'warning',
});

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
