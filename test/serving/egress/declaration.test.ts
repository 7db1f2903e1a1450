// Declarations of egress: what is read, what is refused and where; configurations; what each target is given.
import t from 'tap';
import { checkConfiguration, parseEgress, render, TARGETS } from '../../../src/serving/egress/egress.ts';
import { lintText, pod, rulesOf } from '../lint/kit.ts';

const bare = (...allow: readonly string[]): string =>
  `egress:\n  allow:${allow.length === 0 ? ' []' : ''}\n${allow.map((one) => `    - ${one}\n`).join('')}  deny: ["*"]\n`;

const SEED = 'egress:\n  allow: [https://vector-db.internal, https://docs.internal]\n  deny: ["*"]\n';

t.test('what is read, and with which spelling', async (t) => {
  const hosts = (text: string) =>
    parseEgress(text).allow.map((one) =>
      one.kind === 'name' ? `${one.host}:${one.port}` : `${one.range} ${one.ports}`,
    );
  t.strictSame(hosts(SEED), ['vector-db.internal:443', 'docs.internal:443'], 'the bare form');
  t.strictSame(hosts('schema: steelyard/egress/1\nallow: []\ndeny: ["*"]\n'), [], 'nothing at all');
  const rows: [string, string][] = [
    ['https://DOCS.Internal', 'docs.internal:443'],
    ['https://docs.internal.', 'docs.internal:443'],
    ['https://docs.internal:8443', 'docs.internal:8443'],
    ['https://docs.internal:443/help', 'docs.internal:443'],
    ['https://bücher.example', 'xn--bcher-kva.example:443'],
    ['https://*.docs.example', '*.docs.example:443'],
    ['{url: "http://metrics.internal:9090", insecure: true}', 'metrics.internal:9090'],
    ['{url: "http://metrics.internal", insecure: true}', 'metrics.internal:80'],
    ['{cidr: 10.1.2.0/24, ports: [8443, 443]}', '10.1.2.0/24 443,8443'],
    ['{cidr: "fd12::/32", ports: [443]}', 'fd12::/32 443'],
  ];
  for (const [entry, expected] of rows) t.strictSame(hosts(bare(entry)), [expected], entry);
});

t.test('what is refused, with its place', async (t) => {
  const entries: [string, RegExp][] = [
    ['"*"', /allows everything/],
    ['https://*', /not the name of a host|wildcard|host/],
    ['http://docs.internal', /no TLS/],
    ['{url: "https://docs.internal", insecure: true}', /for http:\/\/ only/],
    ['{url: "http://docs.internal", insecure: false}', /./],
    ['ftp://docs.internal', /begins with https/],
    ['docs.internal', /begins with https/],
    ['https://user:pw@docs.internal', /no user/],
    ['https://@docs.internal', /no user/],
    ['https://docs.internal?x=1', /no query/],
    ['"https://docs.internal#x"', /no query/],
    ['https://10.0.0.1', /an address instead of a name/],
    ['https://2130706433', /an address instead of a name/],
    ['https://0x7f.1', /an address instead of a name/],
    ['"https://[::1]"', /an address instead of a name/],
    ['https://*.com', /anybody can have a name/],
    ['https://*.github.io', /anybody can have a name/],
    ['https://*.internal', /anybody can have a name/],
    ['https://a.*.example.com', /wildcard is the whole first label/],
    ['https://a*.example.com', /wildcard is the whole first label/],
    ['https://docs..internal', /not the name of a host/],
    ['https://docs.internal:0', /no port 0/],
    ['https://docs.internal:99999', /not a URL/],
    ['"https://docs.internal\\\\@evil.example"', /no blanks/],
    ['"https://docs\\u200b.internal"', /no blanks/],
    ['{cidr: 0.0.0.0/0, ports: [443]}', /restricts nothing/],
    ['{cidr: 128.0.0.0/1, ports: [443]}', /restricts nothing/],
    ['{cidr: 10.0.0.1/8, ports: [443]}', /zeros behind the prefix/],
    ['{cidr: 10.0.0.0, ports: [443]}', /not a range/],
    ['{cidr: 256.0.0.0/24, ports: [443]}', /not a range/],
    ['{cidr: 169.254.0.0/16, ports: [80]}', /metadata/],
    ['{cidr: 10.0.0.0/8, ports: [443, 443]}', /twice/],
    ['{cidr: 10.0.0.0/8}', /./],
  ];
  for (const [entry, reason] of entries)
    t.throws(
      () => parseEgress(bare('https://first.example', entry), 'e.yaml'),
      { code: 'INVALID_EGRESS', message: new RegExp(`^e\\.yaml:4:\\d+: .*(?:${reason.source})`, 's') },
      entry,
    );
  const documents: [string, RegExp][] = [
    ['egress: {allow: [], deny: []}', /deny/],
    ['egress: {allow: []}', /deny/],
    ['egress: {allow: [], deny: ["*", "x"]}', /deny/],
    ['egress: {allow: [], deny: ["*"], more: 1}', /unknown field "more"/],
    ['egress: {allow: [], deny: ["*"]}\nother: 1', /unknown field "other"/],
    ['schema: steelyard/egress/2\nallow: []\ndeny: ["*"]', /steelyard\/egress\/1/],
    ['egress: {allow: [], allow: [], deny: ["*"]}', /twice/],
    [bare('https://a.example', 'https://A.example:443'), /is there twice/],
    [bare('https://a.example:80', '{url: "http://a.example", insecure: true}'), /with TLS and without it/],
    [bare('https://*.b.example', 'https://a.b.example'), /allowed by .* already/],
    [bare('{cidr: 10.0.0.0/8, ports: [1]}', '{cidr: 10.0.0.0/8, ports: [2]}'), /twice/],
  ];
  for (const [text, message] of documents)
    t.throws(() => parseEgress(text, 'e.yaml'), { code: 'INVALID_EGRESS', message }, text);
  t.throws(() => parseEgress(' '.repeat(2 ** 24 + 1)), { code: 'LIMIT' });
});

t.test('a configuration against a declaration', async (t) => {
  const egress = parseEgress(
    bare(
      'https://docs.internal',
      'https://*.tools.example',
      '{cidr: 10.1.0.0/16, ports: [5432]}',
      'https://huggingface.co',
    ),
  );
  const refused = (text: string) =>
    checkConfiguration(egress, text, 'c.yaml').refused.map(
      ({ host, port, at }) => `${at.line} ${host}:${port}`,
    );
  const rows: [string, string[]][] = [
    ['retrieval: {url: https://docs.internal/search}', []],
    ['retrieval: {url: https://DOCS.internal./search}', []],
    ['retrieval: {url: https://docs.internal:8443/}', ['1 docs.internal:8443']],
    ['retrieval: {url: http://docs.internal/}', ['1 docs.internal:80']],
    ['tools: [{callback: https://a.tools.example/x}]', []],
    ['tools: [{callback: https://a.b.tools.example/x}]', ['1 a.b.tools.example:443']],
    ['tools: [{callback: https://tools.example/x}]', ['1 tools.example:443']],
    ['db: postgres://u:p@10.1.2.3/x', []],
    ['db: postgres://u:p@10.1.2.3:6000/x', ['1 10.1.2.3:6000']],
    ['db: postgres://u:p@10.2.2.3/x', ['1 10.2.2.3:5432']],
    ['db: postgresql+asyncpg://u:p@db.example/x', ['1 db.example:5432']],
    ['a: 1\nwebhook: "see https://discord.gg/x for more"', ['2 discord.gg:443']],
    ['host: evil.example', ['1 evil.example:443']],
    ['host: evil.example:8080', ['1 evil.example:8080']],
    ['env: [{name: VECTOR_HOST, value: evil.example}]', ['1 evil.example:443']],
    ['name: evil.example', []],
    ['url: http://127.0.0.1:8000', []],
    ['url: http://2130706433:8000', []],
    ['url: http://3405803777/', ['1 203.0.113.1:80']],
    ['url: "https://docs.internal@evil.example/"', ['1 evil.example:443']],
    ['args: [--endpoint=https://evil.example/v1]', ['1 evil.example:443']],
    ['model: hf://acme/chat', []],
    ['model: s3://models/chat', ['1 s3.amazonaws.com:443']],
    ['model: file:///models/chat', []],
    ['$schema: https://json-schema.org/x', []],
    ['data: {x.yaml: "url: https://evil.example\\n"}', ['1 evil.example:443']],
  ];
  for (const [text, expected] of rows) t.strictSame(refused(text), expected, text);
  const faults = (text: string) => checkConfiguration(egress, text, 'c.yaml').faults.map(({ code }) => code);
  t.strictSame(faults('url: "https://\u0024{HOST}/x"'), ['INVALID_MANIFEST'], 'filled in elsewhere');
  t.strictSame(faults('url: {{ .Values.url }}'), ['INVALID_MANIFEST'], 'a template');
  t.strictSame(faults('a: ['), ['INVALID_MANIFEST']);
});

const OPTIONS = {
  name: 'chat',
  namespace: 'serving',
  selector: new Map([['app', 'c']]),
  proxy: { selector: new Map([['app', 'proxy']]), port: 3128 },
  listen: '127.0.0.1:3128',
};

t.test('what is rendered is what lint asks for', async (t) => {
  const workload = pod('image: a').replace('{name: p}', '{name: p, namespace: serving, labels: {app: c}}');
  for (const target of ['networkpolicy', 'cilium'] as const)
    for (const allow of [
      [],
      ['https://docs.internal'],
      ['{cidr: 10.0.0.0/8, ports: [443]}', 'https://*.docs.example:8443'],
    ]) {
      const { text } = render(parseEgress(bare(...allow)), target, OPTIONS);
      const report = await lintText(`${workload}---\n${text}`);
      t.strictSame([rulesOf(report, /^egress/), report.errors], [[], []], `${target} of ${allow}`);
    }
});

t.test('each target says what it loses', async (t) => {
  const lost = (target: (typeof TARGETS)[number], ...allow: readonly string[]) =>
    render(parseEgress(bare(...allow)), target, OPTIONS).weaker.join('\n');
  const ranges = '{cidr: 10.0.0.0/8, ports: [443]}';
  t.equal(lost('networkpolicy', ranges), '', 'addresses are what it knows');
  t.match(lost('networkpolicy', 'https://a.example'), /the name a\.example:443/);
  t.match(lost('cilium', 'https://a.example'), /behind the same address/);
  t.equal(lost('cilium', ranges), '');
  t.match(lost('istio'), /round the sidecar/);
  t.match(lost('squid', 'https://a.example'), /ignores the proxy/);
  t.match(lost('smokescreen', 'https://a.internal', ranges), /ports[\s\S]*a\.internal[\s\S]*10\.0\.0\.0\/8/);
  t.match(lost('envoy', '{url: "http://a.example", insecure: true}'), /only CONNECT/);
  for (const target of TARGETS) {
    t.match(
      lost(target, 'https://a.example/path'),
      target === 'networkpolicy' ? /a\.example/ : /the path of/,
      target,
    );
    const { text, weaker } = render(parseEgress(SEED), target, OPTIONS);
    for (const line of weaker)
      t.ok(text.includes(`# not enforced here: ${line}`), `${target} says it in its text`);
  }
  t.notMatch(lost('squid', 'https://*.a.example'), /one label/, 'squid keeps a wildcard at one label');
  t.match(lost('istio', 'https://*.a.example'), /one label/);
});
