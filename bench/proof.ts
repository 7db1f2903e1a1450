// What signing and verifying cost beyond a scan: whole commands alternately, and the library calls alone.
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scan, signModel, verify } from '../src/index.ts';
import { PACKAGE_ROOT } from '../src/runtime/package.ts';
import { writeModel } from './models.ts';
import { run } from './rounds.ts';
import { CLI } from './tools.ts';

export interface ProofCost {
  readonly what: string;
  /** Of what is compared with the scan of the same round: seconds more, and the ratio. Median, lowest, highest. */
  readonly beyond: Spread;
  readonly ratio: Spread;
}

type Spread = readonly [median: number, low: number, high: number];

/** `size`: GiB of the one weight file. */
export async function measureProof(size: number, rounds: number): Promise<ProofCost[]> {
  const folder = join(PACKAGE_ROOT, 'bench', 'data', `proof-${size}`);
  const model = writeModel(join(folder, 'model'), 'BF16', size * 2 ** 30, 64);
  const keys = join(folder, 'keys');
  mkdirSync(keys, { recursive: true });
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const [key, pub, sig] = ['key.pem', 'pub.pem', 'model.sig'].map((name) => join(keys, name)) as [
    string,
    string,
    string,
  ];
  const [secretPem, publicPem] = [
    privateKey.export({ type: 'pkcs8', format: 'pem' }),
    publicKey.export({ type: 'spki', format: 'pem' }),
  ];
  writeFileSync(key, secretPem);
  writeFileSync(pub, publicPem);

  const signing = ['scan', model, '--sign', sig, '--key', key];
  const checking = ['verify', model, '--signature', sig, '--public-key', pub];
  const commands: Record<string, readonly string[]> = {
    scan: ['scan', model],
    'scan --sign': signing,
    sign: ['sign', model, '--key', key, '-o', sig],
    verify: checking,
    'verify --scan': [...checking, '--scan'],
  };
  const seconds = new Map(Object.keys(commands).map((name) => [name, [] as number[]]));
  for (let round = -1; round < rounds; round++)
    for (const [name, args] of Object.entries(commands)) {
      const { seconds: taken } = await run([process.execPath, CLI, ...args]);
      if (round >= 0) seconds.get(name)!.push(taken); // the round before the first warms the page cache
    }
  const [base, ...others] = [...seconds];
  const library = await measureCalls(model, secretPem, publicPem, rounds);
  return [...others, ...library].map(([what, times]) => ({
    what,
    beyond: spread(times.map((time, round) => (what.endsWith('()') ? time : time - base![1][round]!))),
    ratio: spread(times.map((time, round) => time / base![1][round]!)),
  }));
}

/** Seconds of the calls that come after a scan of the library. */
async function measureCalls(
  model: string,
  privateKey: string | Buffer,
  publicKey: string | Buffer,
  rounds: number,
): Promise<[string, number[]][]> {
  const { files } = await scan(model);
  const [signed, verified]: [number[], number[]] = [[], []];
  for (let round = -1; round < rounds; round++) {
    const begun = performance.now();
    const { bundle } = signModel(files, { privateKey }, { name: 'model', single: true });
    const between = performance.now();
    const outcome = verify(files, Buffer.from(bundle), { method: 'key', publicKey });
    const ended = performance.now();
    if (!outcome.verified) throw new Error('not verified');
    if (round < 0) continue;
    signed.push((between - begun) / 1000);
    verified.push((ended - between) / 1000);
  }
  return [
    ['signModel()', signed],
    ['verify()', verified],
  ];
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return [sorted[Math.floor(sorted.length / 2)]!, sorted[0]!, sorted.at(-1)!];
}

export function proofTable(costs: readonly ProofCost[]): string {
  const ms = (seconds: number): string => (seconds * 1000).toFixed(1);
  const rows = costs.map(({ what, beyond: [b, bl, bh], ratio: [r, rl, rh] }) => {
    const ratio = `**${r.toFixed(3)}** (${rl.toFixed(3)}–${rh.toFixed(3)})`;
    return `| ${what} | **${ms(b)}** (${ms(bl)}–${ms(bh)}) | ${what.endsWith('()') ? '' : ratio} |`;
  });
  return ['| command or call | ms beyond the scan | time, scan = 1 |', '|---|---|---|', ...rows, ''].join(
    '\n',
  );
}
