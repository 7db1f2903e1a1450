// Optional peers: what a person reads whose package is missing.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { packageRoot } from '../kit/root.ts';

t.test('a missing peer names its purpose, its package and the command that installs it', (t) => {
  // In a process of its own: here, peers are found where tests install them.
  const url = pathToFileURL(join(packageRoot, 'out', 'src', 'runtime', 'peer.js')).href;
  const code = `const { peer } = await import('${url}');
    await peer('pkcs11js', 'a key in a hardware token').catch(({ code, message }) => console.log(code, message));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  t.equal(
    stdout,
    'USAGE a key in a hardware token needs the package pkcs11js, which is not installed: npm install pkcs11js@2\n',
  );
  t.end();
});
