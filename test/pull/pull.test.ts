// A pull against a look-alike of the Hub: the honest path equals a scan; what is changed on the way is never committed.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { pull } from '../../src/pull/pull.ts';
import { renderJson } from '../../src/report/report-json.ts';
import { scan } from '../../src/scan.ts';
import { packageRoot } from '../kit/root.ts';
import { COMMIT, type HubOptions, hubServer } from '../source/hub-server.ts';

const LORA = join(packageRoot, 'fixtures', 'real', 'tiny-lora');
const files = new Map(
  readdirSync(LORA, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(LORA, path)).isFile())
    .map((path) => [path, readFileSync(join(LORA, path))] as const),
);

async function withHub<T>(
  options: Partial<HubOptions>,
  action: (hub: Awaited<ReturnType<typeof hubServer>>) => Promise<T>,
): Promise<T> {
  const hub = await hubServer({ files, ...options });
  try {
    return await action(hub);
  } finally {
    await hub.close();
  }
}

const entries = (folder: string): string[] => readdirSync(folder).sort();

t.setTimeout(600_000);

t.test('what is pulled is what is scanned', async (t) => {
  const folder = t.testdir({});
  const output = join(folder, 'model');
  await withHub({ pageSize: 1, token: 'hf_secret' }, async (hub) => {
    const options = { output, env: { HF_ENDPOINT: hub.url, HF_TOKEN: 'hf_secret' } };
    const result = await pull('hf://acme/tiny', options);
    t.same(result.findings, []);
    t.equal(result.outcome, 'pass');
    t.equal(result.source, `hf://acme/tiny@${COMMIT}`);
    t.equal(renderJson(result.report!), renderJson(await scan(output, { followSymlinks: 'never' })));
    t.same(entries(folder), ['model', 'model.pull.json']);
    for (const [path, body] of files) t.ok(readFileSync(join(output, path)).equals(body), path);
    t.ok(hub.seen.filter(({ origin }) => origin === 'cdn').length > 0);
    for (const { origin, authorization } of hub.seen)
      t.equal(authorization, origin === 'hub' ? 'Bearer hf_secret' : undefined);
    t.notMatch(JSON.stringify(result.receipt), /secret/);
  });
});
