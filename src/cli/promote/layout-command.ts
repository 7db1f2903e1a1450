// `steelyard layout sign` and `steelyard link record`: in-toto documents that in-toto verifies. Nothing is run.
import { basename, dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { matchesGlob } from '../../document/text/glob.ts';
import { digestOf } from '../../gate/claim/piece.ts';
import { readPlain } from '../../gate/input/folder.ts';
import { readLayoutDocument } from '../../gate/layout/layout-document.ts';
import { writeLayout, writeLink } from '../../gate/layout/layout-writing.ts';
import { filesBelow } from '../../runtime/folder.ts';
import { readInput } from '../option/input.ts';
import { type KeyFlags, lastingKey, withKey } from '../option/key-option.ts';
import { usage } from '../option/trust-options.ts';
import { type Run, run } from '../run.ts';
import { say } from '../terminal/message.ts';
import { checkOutput } from '../terminal/output.ts';

interface LayoutFlags extends KeyFlags {
  readonly output: string;
}

interface LinkFlags extends KeyFlags {
  readonly root: string;
  readonly materials?: readonly string[];
  readonly products?: readonly string[];
  readonly output: string;
}

export function layoutCommand(): Command {
  const sign = withKey(new Command('sign'), true)
    .summary('sign a layout: which steps there are, who may do them, what each may take and make')
    .argument('<layout>', 'the layout as YAML')
    .requiredOption('-o, --output <file>', 'evidence/layout/root.layout')
    .action((file: string, flags: LayoutFlags) => run((context) => signLayout(file, flags, context)));
  return new Command('layout').summary('write in-toto layouts').addCommand(sign);
}

export function linkCommand(): Command {
  const record = withKey(new Command('record'), true)
    .summary('sign what a step took and made, by digest; runs no command')
    .argument('<step>', 'the name of the step')
    .option('--root <folder>', 'paths are relative to it', '.')
    .option('--materials <glob...>', 'files that the step took')
    .option('--products <glob...>', 'files that the step made')
    .requiredOption(
      '-o, --output <folder>',
      'evidence/layout; the name of the file is that which in-toto looks for',
    )
    .action((step: string, flags: LinkFlags) => run((context) => recordLink(step, flags, context)));
  return new Command('link').summary('write in-toto links').addCommand(record);
}

async function signLayout(file: string, flags: LayoutFlags, { write }: Run): Promise<number> {
  await checkOutput(flags.output, [file]);
  const key = await lastingKey(flags, process.env);
  const folder = dirname(resolve(file));
  const load = (path: string): Buffer => readInput(resolve(folder, path), 'public key of a functionary');
  const layout = readLayoutDocument(readInput(file, 'layout'), basename(file), load);
  await write(flags.output, [await writeLayout(layout, key)]);
  say(`signed the layout of ${layout.steps.length} steps; it is in ${flags.output}`);
  return 0;
}

async function recordLink(step: string, flags: LinkFlags, { write }: Run): Promise<number> {
  const { materials = [], products = [], root } = flags;
  if (materials.length + products.length === 0)
    throw usage('name what the step took or made: --materials, --products');
  const key = await lastingKey(flags, process.env);
  const paths = filesOf(root);
  const text = {
    name: step,
    materials: digests(root, paths, materials),
    products: digests(root, paths, products),
    command: [],
  };
  const { file, text: link } = writeLink(text, key);
  const output = join(flags.output, file);
  await checkOutput(output, []);
  await write(output, [await link]);
  const count = (files: object): number => Object.keys(files).length;
  say(
    `recorded ${count(text.materials)} materials and ${count(text.products)} products of ${step} in ${output}`,
  );
  return 0;
}

const filesOf = (root: string): string[] =>
  filesBelow(root)
    .filter(({ what }) => what.isFile())
    .map(({ path }) => path)
    .sort();

/** A pattern that finds nothing is a mistake: the layout would later say so less plainly. */
function digests(root: string, paths: readonly string[], globs: readonly string[]): Record<string, string> {
  const found = globs.flatMap((glob) => {
    const matched = paths.filter((path) => matchesGlob(glob, path));
    if (matched.length === 0) throw usage(`no file below ${root} matches ${glob}`);
    return matched;
  });
  return Object.fromEntries(
    [...new Set(found)].map((path) => [path, digestOf(readPlain(join(root, path))).slice('sha256:'.length)]),
  );
}
