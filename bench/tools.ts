// What is compared: command lines that read the same files. A tool that is not installed is left out and named.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../src/runtime/package.ts';

export interface Tool {
  readonly name: string;
  /** One command per run; the files are read one after the other by the same process where the tool can. */
  command(files: readonly string[]): readonly string[];
}

/** What every ratio refers to: SHA-256 alone, by the best-tuned implementation there is. */
export const PEER: Tool = {
  name: 'openssl dgst -sha256',
  command: (files) => ['openssl', 'dgst', '-sha256', ...files],
};

export const CLI = join(PACKAGE_ROOT, 'dist', 'cli', 'main.js');

export const steelyard = (threads: number): Tool => ({
  name: `steelyard scan --threads ${threads}`,
  command: (files) => [process.execPath, CLI, 'scan', '--threads', `${threads}`, '--no-progress', ...files],
});

const CREATE_HASH = `
  const { createReadStream } = require('node:fs');
  const { createHash } = require('node:crypto');
  (async () => {
    for (const file of process.argv.slice(1)) {
      const hash = createHash('sha256');
      for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk);
      hash.digest();
    }
  })();`;

// What a script would do for a digest per file and per tensor and four moments of bf16 weights, 64 MiB at a time.
const NUMPY = `
import hashlib, sys, numpy as np
for path in sys.argv[1:]:
    data = np.memmap(path, np.uint8, 'r')
    whole, part = hashlib.sha256(), hashlib.sha256()
    for at in range(0, len(data), 1 << 26):
        chunk = data[at:at + (1 << 26)]
        whole.update(chunk); part.update(chunk)
        codes = chunk[:len(chunk) // 2 * 2].view(np.uint16)
        x = (codes.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
        d = x - x.mean(); d2 = d * d; np.abs(x).sum(); x.min(); x.max(); d2.mean(); (d2 * d).mean(); (d2 * d2).mean()
        np.bincount(codes, minlength=65536)`;

const OTHERS: readonly Tool[] = [
  { name: 'sha256sum', command: (files) => ['sha256sum', ...files] },
  { name: 'b3sum --num-threads 1', command: (files) => ['b3sum', '--num-threads', '1', ...files] },
  { name: 'Node createHash', command: (files) => [process.execPath, '-e', CREATE_HASH, ...files] },
  { name: 'Python hashlib + numpy', command: (files) => ['python3', '-c', NUMPY, ...files] },
  { name: 'llama-gguf-hash --sha256', command: (files) => ['llama-gguf-hash', '--sha256', ...files] },
];

/** Tools beside openssl that this machine has, and the names of those that it has not. */
export function otherTools(): { readonly present: readonly Tool[]; readonly missing: readonly string[] } {
  const works = ({ command }: Tool): boolean => {
    const [program, ...args] = command([]);
    const probe = program === 'python3' ? args : ['--version'];
    return spawnSync(program!, probe, { stdio: 'ignore' }).status === 0;
  };
  const present = OTHERS.filter((tool) => tool.name === 'Node createHash' || works(tool));
  return { present, missing: OTHERS.filter((tool) => !present.includes(tool)).map(({ name }) => name) };
}
