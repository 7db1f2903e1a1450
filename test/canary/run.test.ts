// Runs: what is recorded and how, resumed, redacted, from targets that storm, die, filter, stream or contradict themselves.
import { appendFileSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { createServer } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { openRun, type Suite } from '../../src/canary/canary.ts';
import { isRunAnswer, RunAnswerSchema } from '../../src/canary/run/run-schema.ts';
import { type HttpOptions, httpTarget, type Target, type Token } from '../../src/canary/target/target.ts';
import { type Answering, type ServerOptions, serveOpenAi } from './bot/server.ts';
import { comparison, found, releaseNamed, signal, suiteOf, trial } from './bot/trial.ts';

const bots = trial();
t.teardown(() => bots.close());

const word = (text: string): Token => [
  text,
  -0.01,
  [
    [text, -0.01],
    ['no', -4.6],
  ],
];
/** A model that repeats the question: enough for everything but weights. */
const echoing: Answering = async ({ messages }) => {
  const text = `You said ${messages.at(-1)!.content}`;
  return { text, tokens: [...text.split(/(?<= )/).map(word), word('</s>')], finish: 'stop' };
};
const suite = (count: number, more: object = {}): Suite =>
  suiteOf({ prompts: Array.from({ length: count }, (_, i) => ({ id: `p${i}`, text: `word${i}` })), ...more });

async function served(answering: Answering, options: ServerOptions = {}, http: HttpOptions = {}) {
  const server = await serveOpenAi(answering, options);
  const target = httpTarget(server.url, http);
  return { server, target, close: () => Promise.all([target.close(), server.close()]) };
}

async function runAgainst(
  name: string,
  answering: Answering,
  options: ServerOptions = {},
  one = suite(4),
  http: HttpOptions = {},
) {
  const { server, target, close } = await served(answering, options, http);
  try {
    return { ...(await bots.ask(target, name, one)), asked: server.count() };
  } finally {
    await close();
  }
}

t.test('what is written: readable by its owner, a line for each answer, an end', async (t) => {
  const { path, complete, header } = await runAgainst('plain', echoing);
  t.ok(complete);
  t.equal(statSync(path).mode & 0o777, 0o600);
  const run = openRun(path);
  t.same(run.end, { end: true, asked: 8, answered: 8, failed: 0 });
  t.match(header.capabilities, { logprobs: true, topK: 2, eosEntry: true, seed: true });
  t.match(run.read('p1 2'), { prompt: 'word1', text: 'You said word1', status: 'ok', attempts: 1 });
  t.equal(run.read('p9 1'), undefined);
  for (const key of run.keys) t.ok(RunAnswerSchema.safeParse(run.read(key)).success, key);
  run.close();
});

t.test('the predicates say what the schema says', async () => {
  const { path } = await runAgainst('guard', echoing, {}, suite(1));
  const line = JSON.parse(readFileSync(path, 'utf8').split('\n')[1]!) as Record<string, unknown>;
  const values = fc.constantFrom<unknown>(
    undefined,
    null,
    0,
    -1,
    1.5,
    '',
    'x',
    true,
    [],
    {},
    [['a', 1, []]],
    [['a', -1, [['b', -1]]]],
  );
  const keys = fc.constantFrom(...Object.keys(line), 'error', 'role', 'intent', 'expect', 'other');
  fc.assert(
    fc.property(keys, values, (key, value) => {
      const changed = { ...line, [key]: value };
      if (value === undefined) delete changed[key];
      return isRunAnswer(changed) === RunAnswerSchema.safeParse(changed).success;
    }),
    { numRuns: 2000 },
  );
});

t.test('cut off at 60 %, in the middle of a line, and resumed', async (t) => {
  const { server, target, close } = await served(echoing);
  t.teardown(close);
  const whole = await bots.ask(target, 'cut', suite(10));
  const text = readFileSync(whole.path, 'utf8');
  truncateSync(whole.path, Math.floor(text.length * 0.6));
  t.match(await comparison(whole.path, whole.path), { outcome: 'error' }, 'a cut run is no pass');
  const before = server.count();
  const resumed = await bots.ask(target, 'cut', suite(10), { resume: true });
  t.ok(resumed.complete);
  t.ok(server.count() - before < 15, `asked ${server.count() - before} times again`);
  const run = openRun(resumed.path);
  t.equal(run.keys.length, 20);
  run.close();
  await t.rejects(bots.ask(target, 'cut', suite(11), { resume: true }), { code: 'USAGE' }, 'another suite');
  await t.rejects(
    bots.ask(target, 'cut', suite(10)),
    { code: 'IO', message: /--resume/ },
    'never overwritten',
  );
});

t.test('lines that are none, answers that stand twice, text behind the end', async (t) => {
  const { path } = await runAgainst('broken', echoing, {}, suite(1));
  const text = readFileSync(path, 'utf8');
  const lines = text.trimEnd().split('\n');
  const wrong: [string, RegExp][] = [
    [text + lines[1], /.^/],
    [[lines[0], lines[1], lines[1], ''].join('\n'), /answered twice/],
    [[lines[0], lines[1]!.replace('"status":"ok"', '"status":"ok","status":"ok"'), ''].join('\n'), /:2: /],
    [[lines[0], lines[1]!.replace('"ms"', '"us"'), ''].join('\n'), /no answer/],
    [[lines[1], ''].join('\n'), /no run/],
    [`${text}${lines[1]}\n`, /follows the end/],
    ['', /empty/],
  ];
  for (const [i, [content, reason]] of wrong.entries()) {
    truncateSync(path, 0);
    appendFileSync(path, content);
    if (i === 0)
      t.doesNotThrow(() => openRun(path).close(), 'half a line behind the end is what a crash leaves');
    else t.throws(() => openRun(path), { code: 'INVALID_DOCUMENT', message: reason }, String(reason));
  }
});

t.test('10^4 mutants of a run: refused or read, never anything else', async (t) => {
  const { path } = await runAgainst('mutants', echoing, {}, suite(1));
  const bytes = readFileSync(path);
  let [read, refused] = [0, 0];
  let random = 7;
  const below = (most: number): number => {
    random = (random * 1103515245 + 12345) % 2147483648;
    return random % most;
  };
  for (let i = 0; i < 10_000; i++) {
    const mutant = Buffer.from(bytes);
    for (let edits = 1 + below(3); edits > 0; edits--) mutant[below(mutant.length)] = below(256);
    truncateSync(path, 0);
    appendFileSync(path, mutant);
    try {
      openRun(path).close();
      read++;
    } catch (error) {
      if (!['INVALID_DOCUMENT', 'LIMIT'].includes((error as { code: string }).code)) throw error;
      refused++;
    }
  }
  t.ok(refused > 5000 && read > 10, `${refused} refused, ${read} read`);
});

t.test('secrets are taken out of text and tokens', async (t) => {
  const secret = `ghp_${'Ab1'.repeat(12)}`;
  const leaking: Answering = async () => ({
    text: `The key is ${secret} and mail@evil.com.`,
    tokens: ['The key is ', 'ghp_', secret.slice(4), ' and ', 'mail', '@evil.com', '.', '</s>'].map(word),
    finish: 'stop',
  });
  const { path } = await runAgainst('leak', leaking, {}, suite(1));
  const text = readFileSync(path, 'utf8');
  t.notMatch(text, new RegExp(`${secret.slice(4)}|ghp_|mail@evil`));
  t.match(text, /\\u2039secret github-token [0-9a-f]{8}\\u203a and \\u2039personal email\\u203a/);
  const canary = await comparison(null, path);
  t.same(found(canary), ['personal-data p0', 'secret p0']);
});

t.test('429 storms: waited out as the target asks; a storm without end is no answer', async (t) => {
  let storms = 0;
  const storm: ServerOptions = {
    meddle: ({ index }, response) => {
      if (index % 3 !== 2) return false;
      storms++;
      response.writeHead(429, { 'retry-after': '0' }).end();
      return true;
    },
  };
  const { complete, path } = await runAgainst('storm', echoing, storm, suite(6));
  t.ok(complete && storms > 3);
  const run = openRun(path);
  t.ok(
    run.keys.some((key) => run.read(key)!.attempts === 2),
    'a second try is marked',
  );
  run.close();
  const endless: ServerOptions = {
    meddle: ({ index }, response) => {
      if (index < 4) return false;
      response.writeHead(429, { 'retry-after': '0' }).end();
      return true;
    },
  };
  const stopped = await runAgainst('endless', echoing, endless, suite(20));
  t.notOk(stopped.complete);
  t.match(stopped.stopped, /failed 5 times in a row/);
  t.ok(stopped.asked < 30, `asked ${stopped.asked} times and no more`);
  t.match(await comparison(stopped.path, stopped.path), { outcome: 'error' });
  const patient: ServerOptions = {
    meddle: ({ index }, response) => {
      if (index < 4) return false;
      response.writeHead(503, { 'retry-after': '86400' }).end();
      return true;
    },
  };
  t.match(
    (await runAgainst('patient', echoing, patient, suite(9))).stopped,
    /5 times/,
    'nobody waits for a day',
  );
});

t.test('a killed server: what was answered stays, and the run can go on', async (t) => {
  const server = await serveOpenAi(echoing, {
    meddle: ({ index }, response) => {
      if (index < 8) return false;
      response.socket!.destroy();
      return true;
    },
  });
  const target = httpTarget(server.url, { retries: 1 });
  const killed = await bots.ask(target, 'killed', suite(20));
  await Promise.all([target.close(), server.close()]);
  t.match(killed.stopped, /5 times in a row/);
  t.ok(killed.end.answered >= 4);
});

t.test('an answer that was received is never asked for again', async (t) => {
  const asked = new Map<string, number>();
  const malformed: ServerOptions = {
    meddle: async ({ index, messages }, response, answer) => {
      const text = messages.at(-1)!.content;
      asked.set(text, (asked.get(text) ?? 0) + 1);
      if (index < 3) return false;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(await answer()).slice(0, -5));
      return true;
    },
  };
  const run = await runAgainst('malformed', echoing, malformed, suite(2));
  t.notOk(run.complete);
  t.same([asked.get('word0'), asked.get('word1')], [2, 2], 'a malformed answer is an answer');
});

t.test('two replicas behind one address: said, and no comparison', async (t) => {
  const headers = ({ index }: { index: number }): Record<string, string> => ({
    'x-model-sha': index % 2 === 0 ? releaseNamed('mixed').model : 'sha256:other',
  });
  const mixed = await runAgainst('mixed', echoing, { headers });
  t.equal(mixed.claims.length, 2);
  t.ok(mixed.foreign > 0);
  const canary = await comparison(mixed.path, mixed.path);
  t.same(found(canary), ['mixed-fleet null', 'model-sha null']);
  t.equal(canary.outcome, 'fail');
});

t.test('tied by a header, or by nothing', async (t) => {
  const tied = await runAgainst('tied', echoing, {
    headers: () => ({ 'x-model-sha': releaseNamed('tied').model }),
  });
  const canary = await comparison(tied.path, tied.path);
  t.match(canary, { outcome: 'pass', new: { tie: 'header' } }, JSON.stringify(canary.inconclusive));
  const loose = await runAgainst('loose', echoing);
  t.match(await comparison(loose.path, loose.path), {
    outcome: 'error',
    inconclusive: [{ code: 'not-tied' }, {}],
  });
});

const tie = (name: string): ServerOptions => ({
  headers: () => ({ 'x-model-sha': releaseNamed(name).model }),
});
const codes = async (a: string, b: string): Promise<string[]> =>
  (await comparison(a, b)).inconclusive.map(({ code }) => code);

t.test('answers of every kind', async (t) => {
  const plain = await runAgainst('kinds-plain', echoing, tie('kinds-plain'), suite(2));
  const kinds: Record<string, [Answering, string[]]> = {
    filtered: [
      async () => ({ text: '', tokens: null, finish: 'filtered' }),
      ['refusal-gained p0', 'refusal-gained p1'],
    ],
    tools: [
      async () => ({
        text: '',
        tokens: null,
        finish: 'tools',
        toolCalls: ['send({"to":"https://evil.com"})'],
      }),
      ['link-disallowed', 'new-host', 'tool-call-new'].flatMap((rule) => [`${rule} p0`, `${rule} p1`]).sort(),
    ],
    empty: [async () => ({ text: '', tokens: [word('</s>')], finish: 'stop' }), ['length p0', 'length p1']],
    invisible: [
      async (asked) => ({ ...(await echoing(asked)), text: 'a\u200bb' }),
      ['invisible-characters p0', 'invisible-characters p1'],
    ],
    reasoning: [
      async (asked) => ({ ...(await echoing(asked)), reasoning: 'see evil.com' }),
      ['link-disallowed', 'new-host'].flatMap((rule) => [`${rule} p0`, `${rule} p1`]),
    ],
    cut: [async (asked) => ({ ...(await echoing(asked)), finish: 'length' }), ['length p0', 'length p1']],
  };
  for (const [name, [answering, expected]] of Object.entries(kinds)) {
    const run = await runAgainst(`kinds-${name}`, answering, tie(`kinds-${name}`), suite(2));
    const rules = found(await comparison(plain.path, run.path)).filter(
      (one) => !one.startsWith('divergence'),
    );
    t.same(rules, expected, name);
  }
});

t.test('what a target lacks is said, and is no pass', async (t) => {
  const plain = await runAgainst('lack-plain', echoing, tie('lack-plain'));
  const without = await runAgainst('lack-end', echoing, { ...tie('lack-end'), withoutEnd: true });
  t.same(await codes(plain.path, without.path), ['no-end-entry']);
  const none: Answering = async (asked) => ({ ...(await echoing(asked)), tokens: null });
  const silent = await runAgainst('lack-logprobs', none, tie('lack-logprobs'));
  t.notOk(silent.header.capabilities.logprobs);
  t.same(await codes(silent.path, silent.path), ['no-logprobs']);
  const engine: Answering = async (asked) => ({ ...(await echoing(asked)), engine: 'another engine' });
  const other = await runAgainst('lack-engine', engine, tie('lack-engine'));
  t.same(await codes(plain.path, other.path), ['engine-differs']);
  let draw = 0;
  const unseeded: Answering = async (asked) => ({ ...(await echoing(asked)), text: `You said ${draw++}` });
  t.equal((await runAgainst('lack-seed', unseeded, tie('lack-seed'))).header.capabilities.seed, false);
  const unstable: Answering = async (asked) => {
    const answer = await echoing(asked);
    return {
      ...answer,
      tokens: [
        [
          answer.tokens![0]![0],
          -0.01 - (asked.index % 3),
          [[answer.tokens![0]![0], -0.01 - (asked.index % 3)]],
        ],
        ...answer.tokens!.slice(1),
      ] as Token[],
    };
  };
  const shaky = await runAgainst('lack-stable', unstable, tie('lack-stable'));
  t.ok((await codes(shaky.path, shaky.path)).includes('unstable'));
});

t.test('suite and system prompt: what changed is said', async (t) => {
  const prompts = [0, 1, 2].map((i) => ({ id: `p${i}`, text: `word${i}` }));
  const run = (name: string, document: object, system?: string) =>
    runAgainst(name, echoing, tie(name), suiteOf({ prompts, ...document }, system));
  const first = await run('suite-first', {});
  const fewer = await run('suite-fewer', { prompts: prompts.slice(1) });
  t.same(await codes(first.path, fewer.path), ['coverage'], 'a prompt was removed');
  t.same(await codes(fewer.path, first.path), [], 'a prompt more is judged alone');
  const spoken = await run('suite-system', { system: 'system.txt' }, 'Be kind.');
  const canary = await comparison(first.path, spoken.path);
  t.same(found(canary), ['template-changed null']);
  t.equal(canary.inconclusive[0]!.code, 'template-changed');
  t.equal(canary.method, 'texts');
});

t.test('a server that only streams', async (t) => {
  const streaming: ServerOptions = {
    meddle: async (_, response, answer) => {
      const { choices, system_fingerprint } = (await answer()) as {
        choices: { message: { content: string }; logprobs: { content: object[] } }[];
        system_fingerprint: string;
      };
      const [{ message, logprobs }] = choices as [(typeof choices)[0]];
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'x-model-sha': releaseNamed('stream').model,
      });
      const pieces = message.content.split(/(?<= )/);
      for (const [i, entry] of (logprobs?.content ?? pieces).entries()) {
        const chunk = {
          system_fingerprint,
          choices: [{ delta: { content: pieces[i] ?? '' }, logprobs: logprobs && { content: [entry] } }],
        };
        response.write(`data: ${JSON.stringify(chunk)}\n\n`);
      }
      response.write(`data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: 'stop' }] })}\n\n`);
      response.end('data: [DONE]\n\n');
      return true;
    },
  };
  const plain = await runAgainst('stream-plain', echoing, tie('stream-plain'));
  const streamed = await runAgainst('stream', echoing, { ...tie('stream'), ...streaming });
  const canary = await comparison(plain.path, streamed.path);
  t.match(canary, { outcome: 'pass', floor: 0 }, JSON.stringify([canary.findings, canary.inconclusive]));
});

t.test('one host: redirects are not followed, and no other connection is made', async (t) => {
  let connections = 0;
  const other = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  process.env.HTTP_PROXY = process.env.http_proxy = `http://127.0.0.1:${port}`;
  t.teardown(() => {
    delete process.env.HTTP_PROXY;
    delete process.env.http_proxy;
    other.close();
  });
  const redirecting: ServerOptions = {
    meddle: ({ index }, response) => {
      if (index < 4) return false;
      response.writeHead(307, { location: `http://127.0.0.1:${port}/v1/chat/completions` }).end();
      return true;
    },
  };
  const run = await runAgainst('redirect', echoing, redirecting, suite(3));
  t.notOk(run.complete);
  t.equal(connections, 0);
});

t.test('targets that are refused before anything is asked', (t) => {
  for (const url of [
    'ftp://x/v1',
    'nonsense',
    'https://user:pw@host/v1',
    'https://host/v1?key=1',
    'http://models.example.com/v1',
  ])
    t.throws(() => httpTarget(url), { code: 'USAGE' }, url);
  const target: Target = httpTarget('http://models.example.com/v1', { insecure: true });
  t.equal(target.name, 'models.example.com');
  t.end();
});

t.test('a timeout is marked as one', async (t) => {
  const hanging: ServerOptions = { meddle: ({ index }) => index >= 4 };
  const { server, target, close } = await served(echoing, hanging, { timeout: 200 });
  const run = await bots.ask(target, 'hang', suite(2));
  await close();
  t.notOk(run.complete);
  t.ok(server.count() >= 5);
  const file = openRun(run.path);
  t.ok(file.keys.some((key) => file.read(key)!.status === 'timeout'));
  file.close();
  const controller = new AbortController();
  controller.abort();
  const { target: again, close: end } = await served(echoing);
  await t.rejects(bots.ask(again, 'aborted', suite(2), { signal: controller.signal }), { code: 'ABORTED' });
  await end();
  t.notOk(signal.aborted);
});
