// Ctrl-C while something is written: what the user is told was written is there, and nothing else is.
import { generateKeyPairSync } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../kit/root.ts';
import { type Ended, MAIN, run, steelyard } from '../kit/steelyard.ts';

const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'steelyard-interruption-')));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const MODEL = join(scratch, 'model');
mkdirSync(MODEL);
cpSync(join(packageRoot, 'fixtures', 'real', 'reference-f16.safetensors'), join(MODEL, 'model.safetensors'));
const KEY = join(scratch, 'key.pem');
const PUBLIC_KEY = join(scratch, 'key.pub');
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
writeFileSync(KEY, privateKey.export({ type: 'pkcs8', format: 'pem' }));
writeFileSync(PUBLIC_KEY, publicKey.export({ type: 'spki', format: 'pem' }));

/** begun: its temporary file is open; written: it has its name; unsynced: and then its folder cannot be synced. */
type Moment = 'begun' | 'written' | 'unsynced';

/** Ctrl-C at a moment of the `nth` file that is written: from inside, because from outside nobody meets those milliseconds. */
function interrupted(args: readonly string[], moment: Moment, nth = 1): Promise<Ended> {
  const hook = `
    import promises from 'node:fs/promises';
    import { syncBuiltinESMExports } from 'node:module';
    const { open, rename } = promises;
    let left = ${nth};
    const interrupt = () => {
      left -= 1;
      if (left === 0) process.emit('SIGINT', 'SIGINT');
    };
    promises.open = async (path, flags, mode) => {
      if (${moment === 'unsynced'} && flags === 'r') throw Object.assign(new Error(), { code: 'EIO' });
      const file = await open(path, flags, mode);
      if (${moment === 'begun'} && flags === 'wx') interrupt();
      return file;
    };
    promises.rename = async (from, to) => {
      await rename(from, to);
      if (${moment !== 'begun'}) interrupt();
    };
    syncBuiltinESMExports();`;
  const preload = `data:text/javascript,${encodeURIComponent(hook)}`;
  return run([process.execPath, '--import', preload, MAIN, ...args]);
}

t.test('a scan that signs: at every moment of its two files', async (t) => {
  const folder = join(scratch, 'signed');
  const [report, signature] = [join(folder, 'report'), join(folder, 'signature')];
  const nothing = /^steelyard: interrupted, nothing was written\n$/;
  const one = new RegExp(`; the report is in ${report}\n.*: interrupted, only ${report} was written\n$`);
  const both = new RegExp(`; the report is in ${report}\n.*; the signature is in ${signature}\n$`);
  const ends: [moment: Moment, nth: number, said: RegExp, written: string[], code?: number][] = [
    ['begun', 1, nothing, []],
    ['written', 1, one, ['report']],
    ['begun', 2, one, ['report']],
    ['written', 2, both, ['report', 'signature']],
    ['unsynced', 1, /error IO: cannot write the report to .* \(EIO\)/, ['report'], 2],
  ];
  for (const [moment, nth, said, written, code = 130] of ends) {
    mkdirSync(folder);
    const args = ['scan', MODEL, '-o', report, '--sign', signature, '--key', KEY];
    const ended = await interrupted(args, moment, nth);
    const what = `${moment} ${nth}`;
    t.match(ended.stderr, said, what);
    t.same([ended.code, ended.stdout], [code, ''], what);
    t.same(readdirSync(folder).sort(), written, what);
    rmSync(folder, { recursive: true });
  }
});

t.test('a scan that signs: the report is on stdout already', async (t) => {
  const signature = join(scratch, 'stdout.sig');
  const ended = await interrupted(['scan', MODEL, '--sign', signature, '--key', KEY], 'begun');
  t.match(ended.stdout, /^PASS /m);
  t.equal(ended.stderr, 'steelyard: interrupted, only the text on stdout was written\n');
  t.equal(ended.code, 130);
  t.notOk(existsSync(signature));
});

t.test('every command that writes a file', async (t) => {
  const baseline = join(scratch, 'model.profile.json');
  const mbom = join(scratch, 'model.mbom.yaml');
  const old = join(scratch, 'old.sig');
  t.equal((await steelyard(['profile', MODEL, '-o', baseline])).code, 0);
  t.equal((await steelyard(['bom', 'create', MODEL, '-o', mbom])).code, 0);
  t.equal((await steelyard(['sign', MODEL, '--key', KEY, '-o', old])).code, 0);
  const commands: [args: string[], says: boolean][] = [
    [['scan', MODEL], true],
    [['check', MODEL, '--baseline', baseline], true],
    [['diff', MODEL, MODEL], true],
    [['profile', MODEL], true],
    [['policy', 'init', baseline], true],
    [['sign', MODEL, '--key', KEY], true],
    [['sign', MODEL, '--key', KEY, '--reuse', old, '--public-key', PUBLIC_KEY], true],
    [['sign', mbom, '--key', KEY], true],
    [['attest', MODEL, '--key', KEY], true],
    [['bom', 'create', MODEL], true],
    [['bom', 'export', mbom], false],
  ];
  for (const [args, says] of commands) {
    const name = args.join(' ');
    const output = join(scratch, 'output');
    const stopped = await interrupted([...args, '-o', output], 'begun');
    t.same([stopped.stderr, stopped.code], ['steelyard: interrupted, nothing was written\n', 130], name);
    t.notOk(existsSync(output), name);
    const late = await interrupted([...args, '-o', output], 'written');
    t.match(late.stderr, says ? new RegExp(` is in ${output}\n`) : /^$/, name);
    t.notMatch(late.stderr, 'interrupted', name);
    t.equal(late.code, 130, name);
    t.ok(existsSync(output), name);
    rmSync(output);
  }
});
