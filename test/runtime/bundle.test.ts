// A program that bundles the library is told so, with what to do, in the words of an error of ours.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import t from 'tap';
import { packageRoot } from '../kit/root.ts';

t.test('a bundle in CommonJS says what to do', async (t) => {
  const folder = t.testdir();
  const entry = join(folder, 'x.mjs');
  const library = JSON.stringify(join(packageRoot, 'out', 'src', 'index.js'));
  writeFileSync(entry, `import { scan } from ${library};\nscan(process.argv[2]);\n`);
  const outfile = join(folder, 'x.cjs');
  buildSync({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'silent',
  });
  try {
    execFileSync(process.execPath, [outfile, folder], { stdio: 'pipe', encoding: 'utf8' });
    t.fail('it ran');
  } catch (error) {
    const { stderr } = error as { stderr: string };
    t.match(stderr, /NATIVE_UNAVAILABLE/);
    t.match(stderr, /mark steelyard as external/);
  }
});
