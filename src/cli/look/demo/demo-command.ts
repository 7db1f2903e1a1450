// `steelyard demo`: something to try the other commands on.
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { inert } from '../../../document/text/inert.ts';
import { errnoOf, SteelyardError } from '../../../rules/error.ts';
import { run } from '../../run.ts';
import { ADAPTER_CONFIG, demoAdapter, demoModel, editedModel, safetensorsOf } from './demo-model.ts';

export function demoCommand(): Command {
  return new Command('demo')
    .summary('write small models and keys, and print commands to try on them')
    .description(
      'Writes a small model, a twin that somebody edited, an adapter and a pair of keys into a new folder, and prints commands to try.',
    )
    .argument('<folder>', 'a folder that is not there yet')
    .action((folder: string) =>
      run(async ({ write }) => {
        writeDemo(folder);
        await write(undefined, [told(folder)]);
        return 0;
      }),
    );
}

function writeDemo(folder: string): void {
  if (existsSync(folder))
    throw new SteelyardError('USAGE', `${folder} is there already: name a folder that is not`, {
      file: folder,
    });
  try {
    const write = (path: string, content: string | Buffer, mode = 0o666): void =>
      writeFileSync(join(folder, path), content, { mode, flag: 'wx' });
    for (const name of ['llama', 'suspect', 'adapter']) mkdirSync(join(folder, name), { recursive: true });
    const config = `${JSON.stringify({ model_type: 'llama', hidden_size: 64, vocab_size: 256 }, null, 2)}\n`;
    for (const name of ['llama', 'suspect']) write(`${name}/config.json`, config);
    write('llama/model.safetensors', safetensorsOf(demoModel()));
    write('suspect/model.safetensors', safetensorsOf(editedModel()));
    write('adapter/adapter_model.safetensors', safetensorsOf(demoAdapter()));
    write('adapter/adapter_config.json', `${JSON.stringify(ADAPTER_CONFIG, null, 2)}\n`);
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    write('key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, 0o600);
    write('key.pub.pem', publicKey.export({ type: 'spki', format: 'pem' }) as string);
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === undefined) throw cause;
    throw new SteelyardError('IO', `cannot write ${folder} (${errno})`, { file: folder, errno, cause });
  }
}

const told = (
  folder: string,
): string => `${inert(folder)} holds a model, a twin that somebody edited, an adapter, and keys. Go there and try:

cd ${shellWord(folder)}
steelyard llama                                                   # what it is: PASS
steelyard profile llama --rows -o llama.profile.json              # the baseline
steelyard check suspect --baseline llama.profile.json             # is it that model? exit 1
steelyard diff llama suspect                                      # what did they change? exit 1
steelyard scan adapter --base llama.profile.json                  # does the adapter fit
steelyard sign llama --key key.pem -o model.sig
steelyard verify llama --signature model.sig --public-key key.pub.pem
steelyard verify suspect --signature model.sig --public-key key.pub.pem   # exit 1
`;

/** Nothing in it is a command when it is pasted. */
const shellWord = (path: string): string =>
  /^[\w./-]+$/.test(path) ? path : `'${inert(path, 4096).replaceAll("'", "'\\''")}'`;
