// Where a connection may go: private addresses behind public names, redirects, and what carries no credential.
import type { LookupFunction } from 'node:net';
import t from 'tap';
import type { SteelyardError } from '../../src/rules/error.ts';
import { addressKind, guardedLookup } from '../../src/source/http/address.ts';
import { destination, matchesHost } from '../../src/source/http/redirect.ts';

t.test('kinds of addresses', (t) => {
  const kinds = {
    public: ['8.8.8.8', '2606:4700::1111', '172.32.0.1', '64:ff9b::808:808'],
    private: [
      '127.0.0.1',
      '10.1.2.3',
      '172.16.0.1',
      '192.168.1.1',
      '100.64.0.1',
      '0.0.0.0',
      '::1',
      '::',
      'fd00::1',
      '::ffff:10.0.0.1',
      '64:ff9b::7f00:1',
      '255.255.255.255',
      'ff02::1',
    ],
    'link-local': [
      '169.254.169.254',
      '::ffff:169.254.169.254',
      'fe80::1',
      'fe80::1%eth0',
      '64:ff9b::a9fe:a9fe',
    ],
  };
  for (const [kind, addresses] of Object.entries(kinds))
    for (const address of addresses) t.equal(addressKind(address), kind, address);
  t.end();
});

t.test('a name that turns out to be a private address is refused when it is connected to', (t) => {
  const answers: string[][] = [['93.184.216.34'], ['93.184.216.34', '10.0.0.1']];
  const system: LookupFunction = (_host, _options, callback) =>
    callback(
      null,
      answers.shift()!.map((address) => ({ address, family: 4 })),
    );
  const look = guardedLookup(
    (kind) => kind === 'public',
    () => undefined,
    system,
  );
  look('cdn.example', { all: true }, (error, found) => {
    t.equal(error, null);
    t.same(found, [{ address: '93.184.216.34', family: 4 }]);
    look('cdn.example', { all: true }, (again) => {
      t.equal((again as unknown as SteelyardError).code, 'SOURCE_REDIRECT', 'the second answer is another');
      t.end();
    });
  });
});

t.test('where a redirect may lead', (t) => {
  const hub = new URL('https://huggingface.co/a');
  const refused = (to: string, from: URL, redirects: readonly string[] | 'public') =>
    t.throws(() => destination(to, from, redirects, 'a redirect'), { code: 'SOURCE_REDIRECT' }, to);
  t.equal(destination('/b?x', hub, [], 'a redirect').href, 'https://huggingface.co/b?x');
  t.equal(destination('https://cdn.hf.co/b', hub, 'public', 'a redirect').host, 'cdn.hf.co');
  t.equal(destination('https://cdn.hf.co/b', hub, ['*.hf.co'], 'a redirect').host, 'cdn.hf.co');
  for (const to of [
    'http://cdn.hf.co/b',
    'https://u:p@cdn.hf.co/',
    'ftp://x/',
    'https://',
    'https://10.0.0.1/',
    'https://[::1]/',
    'http://127.0.0.1/',
    'https://169.254.169.254/',
    `https://x/${'a'.repeat(9000)}`,
  ])
    refused(to, hub, 'public');
  refused('https://hf.co.evil.example/', hub, ['*.hf.co']);
  refused('https://huggingface.co:8443/', hub, []);
  t.equal(
    destination('http://127.0.0.1:9/', new URL('http://127.0.0.1:8/'), 'public', 'a redirect').port,
    '9',
  );
  t.ok(matchesHost('*.hf.co', 'a.b.HF.co'));
  t.notOk(matchesHost('*.hf.co', 'hf.co'));
  t.notOk(matchesHost('*.hf.co', 'evilhf.co'));
  t.end();
});
