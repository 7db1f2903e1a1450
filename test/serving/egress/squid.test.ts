// What is rendered for Squid, in a real Squid on loopback: which destinations it lets through, and how fast it refuses the others.
import { createServer } from 'node:net';
import t from 'tap';
import { parseEgress, probe } from '../../../src/serving/egress/egress.ts';
import { freePort, greeter, noSquid, startSquid, through } from './proxy.ts';

t.setTimeout(600_000);

t.test('the table', { skip: noSquid }, async (t) => {
  const { server, port } = await greeter();
  const closed = await freePort();
  let own = await freePort();
  while (own === closed) own = await freePort(); // else the proxy itself would listen where nobody should
  const listen = `127.0.0.1:${own}`;
  const declaration = `egress:
  allow:
    - https://vector-db.internal:${port}
    - https://docs.internal:${port}
    - https://down.internal:${closed}
    - https://*.tools.internal.example:${port}
    - https://rebound.com:${port}
    - {url: "http://metrics.internal:${port}", insecure: true}
    - {cidr: 127.8.0.0/16, ports: [${port}]}
  deny: ["*"]
`;
  const names =
    'vector-db.internal docs.internal down.internal metrics.internal rebound.com a.tools.internal.example evil.example a.b.tools.internal.example sub.docs.internal';
  const squid = await startSquid(declaration, { listen, hosts: `127.0.0.1 ${names}\n` });
  t.teardown(async () => {
    await squid.end();
    server.close();
  });
  const rows: [authority: string, status: number][] = [
    [`vector-db.internal:${port}`, 200],
    [`docs.internal:${port}`, 200],
    [`DOCS.INTERNAL:${port}`, 200],
    [`docs.internal.:${port}`, 200],
    [`metrics.internal:${port}`, 200],
    [`127.8.0.1:${port}`, 503],
    [`down.internal:${closed}`, 503],
    [`discord.gg:${port}`, 403],
    [`evil.example:${port}`, 403],
    [`sub.docs.internal:${port}`, 403],
    [`docs.internal.evil.example:${port}`, 403],
    [`a.b.tools.internal.example:${port}`, 403],
    [`tools.internal.example:${port}`, 403],
    [`a.tools.internal.example:${port}`, 200],
    [`rebound.com:${port}`, 403],
    [`127.0.0.1:${port}`, 403],
    [`127.9.0.1:${port}`, 403],
    [`[::1]:${port}`, 403],
    [`2130706433:${port}`, 403],
    [`0x7f000001:${port}`, 403],
    ['docs.internal:22', 403],
    [`docs.internal:${closed}`, 403],
  ];
  for (const [authority, status] of rows) {
    const answer = await through(squid.port, authority);
    t.equal(answer.status, status, authority);
    if (status === 200) t.equal(answer.body, 'hello', `${authority}: bytes flow`);
  }
  const log = squid.log();
  t.match(log, /TCP_DENIED\/403 \S+ CONNECT evil\.example/, 'what is denied is in the log');
});

t.test('a proxy that allows everything, one that hangs, one that lies', async (t) => {
  const proxies: [answer: string | null, code: string][] = [
    ['HTTP/1.1 200 ok\r\n\r\n', 'broken'],
    [null, 'broken'],
    ['hello\r\n', 'broken'],
    ['HTTP/1.1 403 no\r\n\r\n', 'holds'],
  ];
  for (const [answer, outcome] of proxies) {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      if (answer !== null) socket.write(answer);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const results = await probe(parseEgress('egress: {allow: [], deny: ["*"]}'), {
      proxy: { host: '127.0.0.1', port },
      direct: [],
      others: [],
      within: 300,
      signal: new AbortController().signal,
    });
    for (const one of results.filter(({ expected }) => expected === 'denied'))
      t.equal(one.outcome, outcome, `${answer}: ${one.what}`);
    server.close();
  }
});
