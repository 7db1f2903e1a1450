// `steelyard recall`: withdraw digests, and keep the list of recalls alive.
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { recallListWith } from '../../../gate/incident/recall-list.ts';
import { readInput } from '../../option/input.ts';
import { type KeyFlags, signingKey, withKey } from '../../option/key-option.ts';
import { usage } from '../../option/trust-options.ts';
import { type Run, run } from '../../run.ts';
import { say } from '../../terminal/message.ts';
import { checkOutput } from '../../terminal/output.ts';

interface Flags extends KeyFlags {
  readonly list: string;
  readonly reason?: string;
  readonly severity?: string;
  readonly advisory?: string;
  readonly package?: readonly string[];
}

export function recallCommand(): Command {
  return withKey(new Command('recall'), true)
    .summary('withdraw digests: the gate refuses every release that holds one')
    .description(
      'Adds a signed recall to the list and after it a heartbeat over all of the list. Without a digest it writes the heartbeat alone, which ' +
        'the gate needs to be fresh.',
    )
    .argument('[digest...]', 'sha256:… of a release, model, file, tensor, image, layer, evidence or key')
    .requiredOption('--list <file>', 'the list: recalls.intoto.jsonl')
    .option('--reason <text>', 'why')
    .option('--severity <word>', 'how bad it is')
    .option('--advisory <url>', 'where more is said')
    .option('--package <purl...>', 'packages of the image that are recalled with it')
    .action((digests: string[], flags: Flags) => run((context) => recall(digests, flags, context)));
}

async function recall(digests: readonly string[], flags: Flags, { write }: Run): Promise<number> {
  const { list, reason, severity, advisory, package: packages } = flags;
  await checkOutput(list, []);
  const odd = digests.find((one) => !/^sha256:[0-9a-f]{64}$/.test(one));
  if (odd !== undefined) throw usage(`${odd} is no digest: sha256: and 64 hex digits`);
  const recalls = digests.length > 0 || packages !== undefined;
  if (recalls && reason === undefined) throw usage('say why: --reason');
  const now = new Date();
  const text = {
    digests,
    created: now.getTime(),
    reason: reason ?? '',
    ...(severity === undefined ? {} : { severity }),
    ...(advisory === undefined ? {} : { advisory }),
    ...(packages === undefined ? {} : { packages }),
  };
  const before = existsSync(list) ? readInput(list, 'list of recalls') : Buffer.alloc(0);
  const key = await signingKey(flags, process.env);
  const after = await recallListWith(before, recalls ? text : null, now, key);
  await write(list, [after.toString('utf8')]);
  say(
    recalls
      ? `recalled ${digests.length + (packages?.length ?? 0)} in ${list}`
      : `the list ${list} is whole as of ${now.toISOString()}`,
  );
  return 0;
}
