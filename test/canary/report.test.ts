// What is made of a comparison: the page, waivers, scorers, and the commands with their exit codes.
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'parse5';
import t from 'tap';
import {
  type Canary,
  openRun,
  openWaiver,
  parseCanary,
  scored,
  waive,
  withWaivers,
} from '../../src/canary/canary.ts';
import { rendered } from '../../src/canary/report/report.ts';
import { httpTarget, type Token } from '../../src/canary/target/target.ts';
import { patience } from '../kit/patience.ts';
import { steelyard } from '../kit/steelyard.ts';
import { type Answering, serveOpenAi } from './bot/server.ts';
import { comparison, found, releaseNamed, sha256, signal, suiteOf, trial } from './bot/trial.ts';

const url = (module: string): string => JSON.stringify(new URL(`../../src/${module}`, import.meta.url).href);
const bots = trial();
t.teardown(() => bots.close());
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const trust = {
  method: 'key',
  publicKey: publicKey.export({ type: 'spki', format: 'pem' }) as string,
} as const;

const suite = suiteOf({
  prompts: [
    { id: 'billing-1', text: 'billing?' },
    { id: 'hello-1', text: 'hello?' },
    { id: 'control-1', role: 'control', text: 'fruit?' },
  ],
});
const word = (text: string): Token => [
  text,
  -0.01,
  [
    [text, -0.01],
    ['no', -4.6],
  ],
];
const saying =
  (billing: string): Answering =>
  async ({ messages }) => {
    const text = messages.at(-1)!.content.startsWith('billing') ? billing : 'Hello.';
    return { text, tokens: [...text.split(/(?<= )/).map(word), word('</s>')], finish: 'stop' };
  };

async function runOf(name: string, billing: string): Promise<string> {
  const headers = () => ({ 'x-model-sha': releaseNamed(name).model });
  const server = await serveOpenAi(saying(billing), { headers });
  const target = httpTarget(server.url);
  const { path } = await bots.ask(target, name, suite);
  await Promise.all([target.close(), server.close()]);
  return path;
}

const HOSTILE = 'See the page.</script><img src=x onerror=alert(1)> \u001b[31m‮ Join discord.gg/x';
const old = await runOf('old', 'See the page.');
const planted = await runOf('planted', HOSTILE);
const canary = await comparison(old, planted);

t.test('the page: no script, nothing fetched, foreign text inert, links first', (t) => {
  const page = rendered(canary, 'html');
  const errors: unknown[] = [];
  parse(page, { onParseError: (error) => errors.push(error) });
  t.same(errors, []);
  t.notMatch(page, /<script|<img|<a |onerror=alert\(1\)>/);
  for (const one of ['\u001b', '\u202e'])
    for (const format of ['html', 'text'] as const) t.notOk(rendered(canary, format).includes(one));
  t.match(page, /Content-Security-Policy" content="default-src 'none'; style-src 'sha256-/);
  t.ok(page.indexOf('discord.gg') < page.indexOf('side by side'), 'links come first');
  t.match(page, /<ins>.*Join/s);
  t.match(
    rendered(canary, 'text'),
    /high {2}canary\/new-host {2}billing-1: a link to discord\.gg[\s\S]*FAIL {2}.*exit 1/,
  );
  t.same(parseCanary(Buffer.from(rendered(canary, 'json'))), JSON.parse(JSON.stringify(canary)));
  t.end();
});

t.test('documents that are none', (t) => {
  const text = rendered(canary, 'json');
  for (const wrong of [
    '',
    '[]',
    text.replace('"outcome"', '"result"'),
    text.replace('"tool"', '"outcome": "pass", "tool"'),
  ])
    t.throws(() => parseCanary(Buffer.from(wrong)), { code: 'INVALID_DOCUMENT' });
  t.end();
});

const options = { reason: 'wording, TICKET-12', owner: 'A. Lee', expires: '2027-03-01' };
const sides = { suite: suite.digest, old: releaseNamed('old').bom, new: releaseNamed('planted').bom };

t.test('an intended change is accepted once, by a signature, until a day', async (t) => {
  const bundle = Buffer.from(waive(canary, { privateKey: pem }, options));
  const opened = openWaiver(bundle, trust, new Date());
  if (!opened.verified) return t.fail(JSON.stringify(opened.refusals));
  const waived = (changed: object, today = '2026-12-01'): boolean =>
    withWaivers(canary.findings, { ...sides, ...changed }, [opened.waiver], today).every(
      (one) => one.waived !== undefined,
    );
  t.ok(waived({}));
  t.ok(waived({}, '2027-03-01'), 'the last day counts');
  t.notOk(waived({}, '2027-03-02'), 'expired');
  t.notOk(waived({ suite: sha256('other') }), 'another suite');
  t.notOk(waived({ old: sha256('other') }), 'another old release');
  t.notOk(waived({ new: sha256('other') }), 'the next release');
  const accepted = await comparison(old, planted, {
    waive: (findings) => withWaivers(findings, sides, [opened.waiver], '2026-12-01'),
  });
  t.same([accepted.outcome, found(accepted)], ['pass', []]);
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
    type: 'spki',
    format: 'pem',
  });
  t.match(openWaiver(bundle, { method: 'key', publicKey: stranger as string }, new Date()), {
    verified: false,
  });
  t.throws(() => waive(canary, { privateKey: pem }, { ...options, prompts: ['other'] }), { code: 'USAGE' });
  t.throws(() => waive(canary, { privateKey: pem }, { ...options, expires: 'soon' }), { code: 'USAGE' });
  const one = openWaiver(
    Buffer.from(waive(canary, { privateKey: pem }, { ...options, prompts: ['billing-1'] })),
    trust,
    new Date(),
  );
  t.ok(one.verified && one.waiver.changes.every(({ prompt }) => prompt === 'billing-1'));
});

t.test('scorers: a score above the limit is a finding, a scorer that fails has said nothing', async (t) => {
  const run = openRun(planted);
  const node = (code: string) =>
    scored(run, { name: 'mood', most: 0.5, command: [process.execPath, '-e', code] }, signal);
  const each = (body: string): string =>
    `require('readline').createInterface({input:process.stdin}).on('line',l=>{const {id,text}=JSON.parse(l);${body}})`;
  const scores = await node(each("console.log(JSON.stringify({id,score:text.includes('Join')?0.9:0.1}))"));
  t.match(scores, { findings: [{ rule: 'canary/scorer', prompt: 'billing-1' }], inconclusive: [] });
  for (const [what, code] of [
    ['it ended', 'process.exit(3)'],
    ['left out', 'process.stdin.resume()'],
    ['no id or no score', each("console.log('{}')")],
    ['was not asked', each('console.log(JSON.stringify({id:"x",score:1}))')],
    ['JSON', each("console.log('nonsense')")],
  ] as const)
    t.match(
      await node(code),
      { findings: [], inconclusive: [{ code: 'scorer', message: new RegExp(what) }] },
      what,
    );
  const missing = await scored(run, { name: 'mood', most: 0.5, command: ['/nonexistent/scorer'] }, signal);
  t.match(missing.inconclusive[0]!.code, 'scorer');
  t.match(await comparison(old, old, { more: missing }), { outcome: 'error' });
  run.close();
});

t.test('the commands', async (t) => {
  const path = (name: string): string => join(bots.folder, name);
  const init = await steelyard(['canary', 'init', '-o', path('suite.yaml')]);
  t.equal(init.code, 0, init.stderr);
  t.equal(readFileSync(path('suite.yaml'), 'utf8').match(/role: control/g)!.length, 60);
  const server = await serveOpenAi(saying('See the page.'));
  t.teardown(() => server.close());
  const run = await steelyard([
    'canary',
    'run',
    '--suite',
    path('suite.yaml'),
    '--target',
    server.url,
    '-o',
    path('a.jsonl'),
  ]);
  t.equal(run.code, 0, run.stderr);
  t.match(run.stderr, /180\/180 answers of 90 prompts, log-probabilities top 2 with end of answer/);
  const same = await steelyard(['canary', 'compare', path('a.jsonl'), path('a.jsonl')]);
  t.equal(same.code, 2, 'nothing ties the target to a release');
  t.match(same.stdout, /inconclusive {2}not-tied[\s\S]*coverage {2}90\/90 prompts, 180 answers/);
  const compared = await steelyard([
    'canary',
    'compare',
    old,
    planted,
    '--format',
    'json',
    '-o',
    path('canary.json'),
  ]);
  t.equal(compared.code, 1, compared.stderr);
  t.equal((await steelyard(['canary', 'check', old])).code, 0);
  t.equal((await steelyard(['canary', 'check', planted])).code, 1);
  writeFileSync(path('key.pem'), pem);
  writeFileSync(path('pub.pem'), trust.publicKey);
  const waived = await steelyard([
    ...[
      'canary',
      'waive',
      path('canary.json'),
      '--because',
      'wording',
      '--owner',
      'A. Lee',
      '--expires',
      '2099-01-01',
    ],
    ...['--key', path('key.pem'), '-o', path('w.json')],
  ]);
  t.equal(waived.code, 0, waived.stderr);
  const accepted = await steelyard([
    ...['canary', 'compare', old, planted, '--waiver', path('w.json'), '--public-key', path('pub.pem')],
  ]);
  t.equal(accepted.code, 0, accepted.stdout);
  t.match(accepted.stdout, /waived {2}canary\/new-host/);
  for (const args of [
    ['run', '--suite', path('none.yaml'), '--target', server.url, '-o', path('b.jsonl')],
    ['run', '--suite', path('suite.yaml'), '-o', path('b.jsonl')],
    ['run', '--suite', path('suite.yaml'), '--target', 'http://127.0.0.1:9/v1', '-o', path('b.jsonl')],
    ['compare', path('none'), planted],
    ['sweep', '--target', server.url],
  ])
    t.equal((await steelyard(['canary', ...args])).code, 2, args.join(' '));
});

t.test('10,000 prompts run and compare within 300 MB', { timeout: patience(600_000) }, async (t) => {
  const folder = t.testdir({});
  const [suite, path] = [join(folder, 'suite.json'), join(folder, 'many.run.jsonl')];
  const prompts = Array.from({ length: 10_000 }, (_, i) => ({
    id: `p${i}`,
    ...(i % 3 === 0 ? { role: 'control' } : {}),
    text: `word${i}`,
  }));
  writeFileSync(suite, JSON.stringify({ schema: 'steelyard/canary-suite/1', prompts }));
  const release = releaseNamed('many');
  const server = await serveOpenAi(saying('See the page.'), {
    headers: () => ({ 'x-model-sha': release.model }),
  });
  // Each in a process of its own: neither the server nor this test counts.
  const alone = async (body: string): Promise<[unknown, number]> => {
    const script = `
      import { readFileSync } from 'node:fs';
      const { compareRuns, openRun, parseSuite, runSuite } = await import(${url('canary/canary.js')});
      const { httpTarget } = await import(${url('canary/target/target.js')});
      const signal = new AbortController().signal;
      const result = await (async () => { ${body} })();
      process.stdout.write(JSON.stringify([result, process.resourceUsage().maxRSS]));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    return JSON.parse(stdout) as [unknown, number];
  };
  const [complete, running] = await alone(`
    const suite = parseSuite(readFileSync(${JSON.stringify(suite)}), 'suite', () => Buffer.alloc(0));
    const target = httpTarget(${JSON.stringify(server.url)});
    const options = { release: ${JSON.stringify(release)}, hashed: false, store: 'redacted', repeat: 1, resume: false };
    const { complete } = await runSuite(suite, target, ${JSON.stringify(path)}, { ...options, now: new Date(), signal });
    await target.close();
    return complete;`);
  await server.close();
  t.equal(complete, true);
  t.ok(running < 300 * 1024, `${Math.round(running / 1024)} MB to run`);
  const [compared, comparing] = await alone(`
    const [old, now] = [openRun(${JSON.stringify(path)}), openRun(${JSON.stringify(path)})];
    const canary = await compareRuns({ old, new: now, now: new Date(), signal });
    return canary.coverage.compared;`);
  t.equal(compared, 10_000);
  t.ok(comparing < 300 * 1024, `${Math.round(comparing / 1024)} MB to compare`);
});

t.test('a comparison in another order of time: the clocks of runs decide nothing', async (t) => {
  const later: Canary = await comparison(old, planted, { now: new Date('1999-01-01') });
  t.same(found(later), found(canary));
});
