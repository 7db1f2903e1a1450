// URIs of sources: what each grammar takes, and that nothing else gets through.
import fc from 'fast-check';
import t from 'tap';
import { SteelyardError } from '../../src/rules/error.ts';
import { isSafePath } from '../../src/source/path.ts';
import { canonicalUri, parseSourceUri } from '../../src/source/uri.ts';

const TAKEN: readonly [text: string, fields: object, canonical?: string][] = [
  [
    'hf://acme/tiny',
    { scheme: 'hf', repo: 'acme/tiny', revision: 'main', path: null },
    'hf://acme/tiny@main',
  ],
  [
    'hf://models/acme/tiny@v1.0/onnx/',
    { repo: 'acme/tiny', revision: 'v1.0', path: 'onnx' },
    'hf://acme/tiny@v1.0/onnx',
  ],
  ['hf://acme/tiny@refs/pr/3/a.gguf', { revision: 'refs/pr/3', path: 'a.gguf' }],
  ['hf://acme/tiny@feature%2Fx', { revision: 'feature/x', path: null }, 'hf://acme/tiny@feature%2Fx'],
  ['s3://models/lora/a.safetensors', { bucket: 'models', key: 'lora/a.safetensors', versionId: null }],
  ['s3://models/lora/', { key: 'lora/' }],
  ['s3://models', { key: '' }, 's3://models/'],
  [
    's3://models/a?versionId=3.x_y-Z~',
    { key: 'a', versionId: '3.x_y-Z~' },
    's3://models/a?versionId=3.x_y-Z~',
  ],
  ['gs://models/a', { scheme: 'gs', bucket: 'models', key: 'a' }],
  ['oci://ghcr.io/acme/support:v1', { host: 'ghcr.io', repository: 'acme/support', tag: 'v1', digest: null }],
  ['oci://127.0.0.1:5000/a', { host: '127.0.0.1:5000', repository: 'a', tag: 'latest' }],
  [
    `oci://ghcr.io/acme/support@sha256:${'a'.repeat(64)}`,
    { tag: null, digest: `sha256:${'a'.repeat(64)}` },
    `oci://ghcr.io/acme/support@sha256:${'a'.repeat(64)}`,
  ],
  ['ollama://llama3.2', { host: 'registry.ollama.ai', repository: 'library/llama3.2', tag: 'latest' }],
  ['ollama://acme/support:8b', { host: 'registry.ollama.ai', repository: 'acme/support', tag: '8b' }],
  ['ollama://127.0.0.1:5000/acme/support:8b', { host: '127.0.0.1:5000', repository: 'acme/support' }],
  ['https://models.example/a/b.gguf?sig=secret', { name: 'b.gguf' }, 'https://models.example/a/b.gguf'],
  ['http://127.0.0.1:80/b.gguf', { name: 'b.gguf' }, 'http://127.0.0.1/b.gguf'],
  ['cache://hub/acme/tiny', { store: 'hub', name: 'acme/tiny', revision: 'main' }],
  ['cache://ollama/llama3.2', { store: 'ollama', name: 'llama3.2' }],
  ['cache://lmstudio/acme/tiny', { store: 'lmstudio', name: 'acme/tiny' }],
];

const REFUSED = [
  '',
  'models/llama',
  's3:/x/y',
  'ftp://x/y',
  'hf://acme',
  'hf://datasets/acme/tiny',
  'hf://acme/tiny@',
  'hf://acme/tiny@..',
  'hf://acme/tiny@a%2F..%2Fb',
  'hf://acme/tiny@%',
  'hf://acme/tiny@refs/heads/x',
  'hf://acme/tiny/../../x',
  'hf://acme/tiny/a//b',
  'hf://acme--x/tiny',
  'hf://user:password@acme/tiny',
  'hf://acme/tiny#main',
  's3://Models/a',
  's3://models/a/../b',
  's3://models/a?x=1',
  's3://models/?versionId=1',
  's3://mo..dels/a',
  'oci://ghcr.io',
  'oci://ghcr.io/Acme/x',
  'oci://ghcr.io/acme/../x',
  'oci://ghcr.io/acme/x@sha256:abc',
  'oci://user@ghcr.io/acme/x',
  'ollama://a/b/c/d',
  'ollama://a:b:c',
  'https://user:password@models.example/a',
  'https://models.example/',
  'https://models.example/a%2Fb',
  'https://models.example\\@evil.example/a',
  'https://mödels.example/a',
  'https://models.example/a b',
  'https://models.example/a\u0000',
  'cache://pip/x',
  'cache://lmstudio/a/..',
  `hf://acme/${'a'.repeat(5000)}`,
];

t.setTimeout(600_000);

t.test('each grammar', (t) => {
  for (const [text, fields, canonical] of TAKEN) {
    t.match(parseSourceUri(text), fields, text);
    if (canonical !== undefined) t.equal(canonicalUri(parseSourceUri(text), null), canonical);
  }
  for (const text of REFUSED) t.throws(() => parseSourceUri(text), { code: 'USAGE' }, text);
  t.end();
});

t.test('a password or a signature in a URI that is refused is not repeated', (t) => {
  for (const text of ['https://user:secret@x/a', 's3://m/a?X-Amz-Signature=secret', 'hf://u:secret@a/b']) {
    const error = (() => {
      try {
        return parseSourceUri(text);
      } catch (reason) {
        return reason as SteelyardError;
      }
    })();
    t.ok(error instanceof SteelyardError);
    t.notMatch((error as SteelyardError).message, /secret/, text);
  }
  t.end();
});

t.test('what is taken says the same when it is read again', (t) => {
  const word = fc.stringMatching(/^[A-Za-z0-9._%@:?/#-]{0,40}$/);
  const scheme = fc.constantFrom(
    'hf://',
    's3://',
    'gs://',
    'oci://',
    'ollama://',
    'https://',
    'http://127.0.0.1/',
    'cache://hub/',
  );
  const runs = Number(process.env.STEELYARD_RUNS ?? 10_000);
  fc.assert(
    fc.property(scheme, fc.oneof(word, fc.string({ unit: 'binary', maxLength: 40 })), (prefix, rest) => {
      let parsed: ReturnType<typeof parseSourceUri>;
      try {
        parsed = parseSourceUri(prefix + rest);
      } catch (error) {
        return error instanceof SteelyardError && error.code === 'USAGE';
      }
      const canonical = canonicalUri(parsed, null);
      const again = canonicalUri(parseSourceUri(canonical), null);
      const path =
        'path' in parsed ? parsed.path : 'name' in parsed && parsed.scheme === 'https' ? parsed.name : null;
      return again === canonical && (path === null || isSafePath(path)) && !/[\s\\#]/.test(canonical);
    }),
    { numRuns: runs },
  );
  t.end();
});
