// Optional peers: what a person reads whose package is missing.
import t from 'tap';
import { peer } from '../../src/runtime/peer.ts';

t.test('a missing peer names its purpose, its package and the command that installs it', async (t) => {
  const missing = peer('pkcs11js', 'a key in a hardware token');
  await t.rejects(missing, {
    code: 'USAGE',
    message:
      'a key in a hardware token needs the package pkcs11js, which is not installed: npm install pkcs11js@2',
  });
});
