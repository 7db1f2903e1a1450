// The Python middleware in a real ASGI server.
import { execFileSync } from 'node:child_process';
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { packageRoot } from '../kit/root.ts';
import { steelyard } from '../kit/steelyard.ts';
import { ask, freePort, release, started, UNKNOWN, until } from './release.ts';

const PYTHON = process.env.STEELYARD_PYTHON ?? 'python3';

/** Streams, answers with an error, and claims to be another model. */
const APPLICATION = `
import asyncio
from steelyard_provenance import Provenance

async def application(scope, receive, send):
    if scope["type"] != "http":
        return
    status = 500 if scope["path"] == "/broken" else 200
    lies = [(b"X-Model-Sha", b"lie"), (b"x-bom-id", b"lie"), (b"x-adapter-sha", b"lie")]
    await send({"type": "http.response.start", "status": status, "headers": lies + [(b"kept", b"yes")]})
    for piece in (b"one ", b"two"):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(0.01)
    await send({"type": "http.response.body", "body": b""})

app = Provenance(application)
`;

function hasUvicorn(): boolean {
  try {
    execFileSync(PYTHON, ['-c', 'import uvicorn'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const skip = hasUvicorn()
  ? false
  : 'NOT RUN: no uvicorn here (pip install uvicorn, and the interpreter in STEELYARD_PYTHON); the ASGI middleware was not shown';

test('the ASGI middleware in uvicorn', { skip }, async (t) => {
  const model = await release(t, { adapter: { name: 'lora', digest: `sha256:${'b'.repeat(64)}` } });
  const document = join(model.folder, 'p.json');
  const args = ['provenance', 'write', '--bom', model.mbom, '--root', model.root, '-o', document];
  const { code, stdout } = await steelyard([...args, '--public-key', model.publicKey]);
  t.equal(code, 0);
  const [, modelSha] = /^x-model-sha (.*)$/m.exec(stdout)!;
  const [, bomId] = /^x-bom-id (.*)$/m.exec(stdout)!;
  writeFileSync(join(model.folder, 'application.py'), APPLICATION);
  const port = await freePort();
  const folders = ['--app-dir', model.folder, '--port', String(port), '--log-level', 'warning'];
  const path = `${join(packageRoot, 'examples', 'serving')}`;
  const server = started(t, 'env', [
    `PYTHONPATH=${path}`,
    'PYTHONDONTWRITEBYTECODE=1',
    `STEELYARD_PROVENANCE=${document}`,
    PYTHON,
    '-m',
    'uvicorn',
    'application:app',
    ...folders,
  ]);
  const url = `http://127.0.0.1:${port}`;
  const known = { status: 200, model: modelSha, bom: bomId, adapter: `sha256:${'b'.repeat(64)}` };
  const first = await until(
    () => ask(`${url}/x`),
    ({ status }) => status !== 0,
  );
  t.same(first, known, server.said());
  t.same(await ask(`${url}/broken`), { ...known, status: 500 }, 'on errors too');
  const answer = await fetch(`${url}/x`);
  t.equal(answer.headers.get('kept'), 'yes', "the application's own headers stay");
  t.equal(await answer.text(), 'one two', 'a stream stays one');
  utimesSync(join(model.root, 'config.json'), 1, 1);
  const unknown = await until(
    () => ask(`${url}/x`),
    ({ model }) => model === 'unknown',
  );
  t.same(unknown, { ...UNKNOWN, status: 200 });
  t.same(await ask(`${url}/healthz`), UNKNOWN);
  t.same(await ask(`${url}/health`), UNKNOWN);
});
