// What a network, a mirror and a hostile server do to a pull: nothing that is wrong is ever committed, and what can be mended is.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type PullOptions, type PullResult, pull } from '../../src/pull/pull.ts';
import { SteelyardError } from '../../src/rules/error.ts';
import { packageRoot } from '../kit/root.ts';
import { type HubOptions, hubServer, listening, sendRange } from '../source/hub-server.ts';

const REAL = join(packageRoot, 'fixtures', 'real');
const TINY = readFileSync(join(REAL, 'reference-f16.safetensors'));
const LORA = readFileSync(join(REAL, 'tiny-lora', 'adapter_model.safetensors'));
const FILES = new Map([
  ['tiny.safetensors', TINY],
  ['README.md', Buffer.from('# tiny\n')],
]);

/** No waiting in tests. */
const http = { pause: () => 0, stall: 2 };

type Fault = NonNullable<HubOptions['fault']>;
type Ended = PullResult | SteelyardError;

/** A pull from a hub with a fault, and what is where the model would be. */
async function pulled(
  t: Test,
  hubOptions: Partial<HubOptions>,
  options: Partial<PullOptions> = {},
): Promise<{ ended: Ended; left: string[]; seen: number }> {
  const folder = t.testdir({});
  const hub = await hubServer({ files: FILES, ...hubOptions });
  try {
    const given = {
      output: join(folder, 'model'),
      env: { HF_ENDPOINT: hub.url, HF_TOKEN: 'hf_secret' },
      http,
    };
    const ended = await pull('hf://acme/tiny', { ...given, ...options }).catch(
      (error: SteelyardError) => error,
    );
    return { ended, left: readdirSync(folder), seen: hub.seen.length };
  } finally {
    await hub.close();
  }
}

const outcome = (ended: Ended): string => {
  if (!(ended instanceof SteelyardError))
    return [ended.outcome, ...ended.findings.map(({ rule }) => rule)].join(' ');
  if (/secret/.test(`${ended.message} ${ended.stack}`)) return 'the token is in the error';
  return ended.code;
};

const isWeights = ({ url, method }: IncomingMessage): boolean =>
  method === 'GET' && /tiny\.safetensors/.test(url ?? '') && !/resolve/.test(url!);

/** Of the weights' bytes only. */
const weights = (
  action: (request: IncomingMessage, response: ServerResponse, body: Buffer, count: number) => boolean,
): Fault =>
  (() => {
    let count = 0;
    return (request: IncomingMessage, response: ServerResponse, body: Buffer | null) =>
      body !== null && isWeights(request) ? action(request, response, body, count++) : false;
  })();

t.setTimeout(600_000);

t.test('every byte of a model, flipped on the wire', async (t) => {
  for (let at = 0; at < TINY.length; at++) {
    const flipped = Buffer.from(TINY);
    flipped[at]! ^= 1 << (at % 8);
    const fault = weights((request, response) => {
      sendRange(request, response, flipped);
      return true;
    });
    const { ended, left } = await pulled(t, { fault });
    t.match(outcome(ended), /^fail source\/digest/, `byte ${at}`);
    t.same(left, [], `byte ${at}`);
  }
});

const TABLE: readonly [
  name: string,
  hub: Partial<HubOptions>,
  expected: string,
  left?: readonly string[],
  options?: Partial<PullOptions>,
][] = [
  [
    'a connection that is cut goes on where it was',
    {
      files: new Map([['tiny.safetensors', LORA]]),
      fault: weights((request, response, body, count) => {
        if (count % 3 === 2) return false;
        const from = Number(/(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
        const end = body.length;
        response.writeHead(206, {
          'content-range': `bytes ${from}-${end - 1}/${end}`,
          'content-length': `${end - from}`,
        });
        response.write(body.subarray(from, from + 70_000), () => response.destroy());
        return true;
      }),
    },
    'pass',
    ['model', 'model.pull.json'],
  ],
  [
    'a connection that is always cut is given up, and what arrived is kept',
    {
      fault: weights((_request, response) => {
        response.destroy();
        return true;
      }),
    },
    'NETWORK',
    ['.model.part'],
  ],
  [
    'nobody says anything any more',
    { fault: weights(() => true) },
    'NETWORK',
    ['.model.part'],
    { http: { pause: () => 0, stall: 0.2 } },
  ],
  [
    'a signed address that expired is asked for again',
    {
      fault: weights((_request, response, _body, count) => {
        if (count > 0) return false;
        response.writeHead(403).end();
        return true;
      }),
    },
    'pass',
    ['model', 'model.pull.json'],
  ],
  [
    'an address that lets nobody in',
    {
      fault: weights((_request, response) => {
        response.writeHead(403).end();
        return true;
      }),
    },
    'UNAUTHORIZED',
    ['.model.part'],
  ],
  [
    'a server that is busy',
    {
      fault: weights((_request, response, _body, count) => {
        if (count > 2) return false;
        response.writeHead(count === 0 ? 429 : 503, { ratelimit: '"api";r=0;t=0', 'retry-after': '0' }).end();
        return true;
      }),
    },
    'pass',
    ['model', 'model.pull.json'],
  ],
  [
    'a file that is gone meanwhile',
    {
      fault: weights((_request, response) => {
        response.writeHead(404).end();
        return true;
      }),
    },
    'NOT_FOUND',
    ['.model.part'],
  ],
  [
    'a server that knows no ranges',
    {
      fault: weights((_request, response, body) => {
        response.writeHead(200).end(body);
        return true;
      }),
    },
    'pass',
    ['model', 'model.pull.json'],
  ],
  [
    'one byte more than was listed',
    {
      fault: weights((_request, response, body) => {
        response.writeHead(200).end(Buffer.concat([body, Buffer.from('x')]));
        return true;
      }),
    },
    'fail source/changed',
    [],
  ],
  [
    'another length than was listed',
    {
      fault: weights((_request, response, body) => {
        response.writeHead(200, { 'content-length': `${body.length - 1}` }).end(body.subarray(1));
        return true;
      }),
    },
    'fail source/changed',
    [],
  ],
  [
    'fewer bytes than were listed',
    {
      fault: weights((_request, response, body) => {
        response.writeHead(200).end(body.subarray(1));
        return true;
      }),
    },
    'NETWORK',
    ['.model.part'],
  ],
  [
    'a range that was not asked for',
    {
      fault: weights((_request, response, body) => {
        response
          .writeHead(206, { 'content-range': `bytes 1-${body.length - 1}/${body.length}` })
          .end(body.subarray(1));
        return true;
      }),
    },
    'NETWORK',
    ['.model.part'],
  ],
  [
    'the range of another file',
    {
      fault: weights((_request, response, body) => {
        response
          .writeHead(206, { 'content-range': `bytes 0-${body.length - 1}/${body.length + 1}` })
          .end(body);
        return true;
      }),
    },
    'fail source/changed',
    [],
  ],
  [
    'a precondition that fails',
    {
      fault: weights((_request, response) => {
        response.writeHead(412).end();
        return true;
      }),
    },
    'fail source/changed',
    [],
  ],
  [
    'an encoding that nobody asked for',
    {
      fault: weights((_request, response, body) => {
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(body);
        return true;
      }),
    },
    'NETWORK',
    ['.model.part'],
  ],
  ['a path that leaves the folder', { tree: renamed('../tiny.safetensors') }, 'fail source/not-allowed', []],
  ['a path with a backslash', { tree: renamed('..\\tiny.safetensors') }, 'fail source/not-allowed', []],
  ['a path that is absolute', { tree: renamed('/tiny.safetensors') }, 'fail source/not-allowed', []],
  [
    'a path that a terminal would obey',
    { tree: renamed('a\u001b[2J.safetensors') },
    'fail source/not-allowed',
    [],
  ],
  ['two names that some systems take for one', { tree: renamed('readme.MD') }, 'fail source/not-allowed', []],
  [
    'a file that is also a folder',
    { tree: renamed('README.md/x.safetensors') },
    'fail source/not-allowed',
    [],
  ],
  [
    'a million files',
    {
      tree: () =>
        Array.from({ length: 100_001 }, (_, i) => ({ type: 'file', path: `${i}`, size: 1, oid: 'x' })),
      pageSize: 1e6,
    },
    'LIMIT',
    [],
  ],
  ['a model larger than the disk', { tree: resized(2 ** 52) }, 'NO_SPACE', ['.model.part']],
  ['a model larger than was allowed', {}, 'LIMIT', [], { maxSize: 10 }],
  ['a model without files', { tree: () => [] }, 'NOT_FOUND', []],
  ['a page that is no JSON', { tree: () => [null as never] }, 'NETWORK', []],
  ['--sha256 for two files', {}, 'USAGE', [], { sha256: '0'.repeat(64) }],
  [
    '--sha256 of something else',
    {},
    'fail source/digest',
    [],
    { sha256: '0'.repeat(64), include: ['*.safetensors'] },
  ],
  ['a dry run', {}, 'pass', [], { dryRun: true }],
  [
    'redirects that the policy does not allow',
    {},
    'fail source/redirect',
    [],
    { http: { ...http, redirects: ['cdn.example'] } },
  ],
  [
    'a redirect in a circle',
    {
      fault: weights((request, response) => {
        response.writeHead(302, { location: request.url }).end();
        return true;
      }),
    },
    'fail source/redirect',
    [],
  ],
  [
    'a redirect to plain text on another machine',
    {
      fault: weights((_request, response) => {
        response.writeHead(302, { location: 'http://192.0.2.1/x' }).end();
        return true;
      }),
    },
    'fail source/redirect',
    [],
  ],
];

function renamed(path: string): (entries: object[]) => object[] {
  return (entries) => entries.map((entry, i) => (i === 0 ? { ...entry, path } : entry));
}
function resized(size: number): (entries: object[]) => object[] {
  return (entries) =>
    entries.map((entry, i) =>
      i === 0 ? { ...entry, size, lfs: { oid: '0'.repeat(64), size, pointerSize: 1 } } : entry,
    );
}

for (const [name, hub, expected, left = [], options = {}] of TABLE)
  t.test(name, async (t) => {
    const result = await pulled(t, hub, options);
    t.equal(outcome(result.ended), expected, JSON.stringify((result.ended as Error).message ?? ''));
    t.same(result.left, left);
  });

t.test('the next page is elsewhere', async (t) => {
  const asked: unknown[] = [];
  const other = await listening((request, response) => {
    asked.push(request.headers);
    response.end('[]');
  });
  t.teardown(other.close);
  const fault: Fault = (request, response) => {
    if (!/\/tree\//.test(request.url!)) return false;
    response.writeHead(200, { link: `<${other.url}/next>; rel="next"` }).end('[]');
    return true;
  };
  const { ended } = await pulled(t, { fault });
  t.equal(outcome(ended), 'fail source/redirect');
  t.same(asked, []);
});

t.test('a pull that was refused can be looked at, and is done again from nothing', async (t) => {
  const flipped = Buffer.from(TINY);
  flipped[100]! ^= 1;
  const fault = weights((request, response, _body, count) => {
    if (count > 1) return false;
    sendRange(request, response, flipped);
    return true;
  });
  const folder = t.testdir({});
  const hub = await hubServer({ files: FILES, fault });
  t.teardown(hub.close);
  const options = {
    output: join(folder, 'model'),
    env: { HF_ENDPOINT: hub.url },
    http,
    keepQuarantine: true,
  };
  const first = await pull('hf://acme/tiny', options);
  t.equal(outcome(first), 'fail source/digest');
  t.ok(readFileSync(join(first.quarantine!, 'tiny.safetensors')).equals(flipped));
  t.equal(statSync(first.quarantine!).mode & 0o777, 0o700);
  const second = await pull('hf://acme/tiny', options);
  t.equal(outcome(second), 'pass');
  const third = await pull('hf://acme/tiny', options);
  t.equal(outcome(third), 'pass', 'a model that is there is not fetched again');
  t.same(third.receipt, second.receipt);
  t.same(readdirSync(folder).sort(), ['model', 'model.pull.json']);
});

t.test('what is in the way', async (t) => {
  const folder = t.testdir({ model: { 'other.txt': 'x' }, file: 'x' });
  const hub = await hubServer({ files: FILES });
  t.teardown(hub.close);
  for (const name of ['model', 'file']) {
    const options = { output: join(folder, name), env: { HF_ENDPOINT: hub.url }, http };
    t.equal(outcome(await pull('hf://acme/tiny', options).catch((error) => error)), 'USAGE', name);
  }
  t.ok(existsSync(join(folder, 'model', 'other.txt')));
});
