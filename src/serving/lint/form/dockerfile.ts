// A Dockerfile → what its build does, and the container that its last stage starts. Nothing is built.
import type { Dockerfile, Instruction, ModifiableInstruction } from 'dockerfile-ast';
import type { Fact, Place } from '../../yaml/place.ts';
import { type Container, commandsOf, type Workload } from '../container/container.ts';
import type { Build } from './build-steps.ts';
import { imageWorkload } from './image-config.ts';

/** The parser looks for the variables of a line in all lines before it. */
export const DOCKERFILE_SIZE = 1 << 18;

interface Built {
  readonly workload: Workload;
  readonly build: Build;
}

/** By its first line that is no comment: nothing else begins with FROM or ARG and a name. */
export const isDockerfile = (text: string): boolean =>
  /^(?:FROM|ARG)\s+[^\s:]/i.test(text.replace(/^(?:\ufeff?\s*(?:#.*)?\n)*/, '').trimStart());

export async function readDockerfile(text: string, file: string): Promise<Built> {
  const { DockerfileParser } = await import('dockerfile-ast');
  const parsed = DockerfileParser.parse(text);
  const at = (instruction: Instruction): Place => {
    const { line, character } = instruction.getRange().start;
    return { file, line: line + 1, column: character + 1 };
  };
  const build: Build = {
    images: imagesOf(parsed, at),
    scripts: parsed.getInstructions().flatMap((one) => scriptOf(one, at)),
    added: parsed.getInstructions().flatMap((one) => addedOf(one, at)),
    values: valuesOf(parsed, at),
  };
  return { build, workload: imageWorkload('dockerfile', file, lastStage(parsed, at, file)) };
}

type At = (instruction: Instruction) => Place;

function imagesOf(parsed: Dockerfile, at: At): Fact<string>[] {
  const stages = new Set<string>();
  const images: Fact<string>[] = [];
  for (const from of parsed.getFROMs()) {
    const value = resolved(from.getImage() ?? '', parsed, from);
    if (!isStage(value, stages) && value !== 'scratch' && value !== '') images.push({ value, at: at(from) });
    const stage = from.getBuildStage();
    if (stage !== null) stages.add(stage.toLowerCase());
  }
  for (const copy of parsed.getCOPYs()) {
    const value = resolved(copy.getFromFlag()?.getValue() ?? '', parsed, copy);
    if (value !== '' && !/^\d+$/.test(value) && !isStage(value, stages)) images.push({ value, at: at(copy) });
  }
  return images;
}

/** A stage of this file, also where the platform chooses among them: `FROM base-$TARGETARCH`. */
function isStage(value: string, stages: ReadonlySet<string>): boolean {
  const name = value.toLowerCase();
  const chosen = name.indexOf('$');
  if (chosen <= 0) return stages.has(name);
  return [...stages].some((stage) => stage.startsWith(name.slice(0, chosen)));
}

/** `$NAME`, `${NAME}` and `${NAME:-default}` with the values that ARG and ENV give here; the rest stays as it is. */
function resolved(text: string, parsed: Dockerfile, instruction: Instruction): string {
  const { line } = instruction.getRange().start;
  return text.replace(/\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))/g, (whole, braced, standard, plain) => {
    const name = braced ?? plain;
    const initial = parsed.getInitialARGs().find((arg) => arg.getProperty()?.getName() === name);
    return parsed.resolveVariable(name, line) ?? initial?.getProperty()?.getValue() ?? standard ?? whole;
  });
}

const argumentsOf = (instruction: Instruction): string => instruction.getRawArgumentsContent() ?? '';

function scriptOf(instruction: Instruction, at: At): Fact<string>[] {
  const onbuild = instruction.getKeyword() === 'ONBUILD';
  const text = argumentsOf(instruction);
  const run = onbuild ? /^RUN\s+([\s\S]*)$/i.exec(text)?.[1] : text;
  if (run === undefined || (!onbuild && instruction.getKeyword() !== 'RUN')) return [];
  return [{ value: run.replace(/^(?:--\w+=\S+\s+)+/, ''), at: at(instruction) }];
}

function addedOf(instruction: Instruction, at: At): Build['added'] {
  if (instruction.getKeyword() !== 'ADD') return [];
  const text = argumentsOf(instruction);
  const address = text.split(/\s+/).find((word) => /^(?:https?|ftp):\/\/|^git@/.test(word));
  return address === undefined
    ? []
    : [{ value: address, at: at(instruction), checked: flagsOf(instruction).includes('checksum') }];
}

const flagsOf = (instruction: Instruction): string[] =>
  (instruction as ModifiableInstruction).getFlags().map((flag) => flag.getName());

const valuesOf = (parsed: Dockerfile, at: At): Build['values'] => [
  ...[...parsed.getENVs(), ...parsed.getARGs(), ...parsed.getInitialARGs()].flatMap((instruction) =>
    instruction.getProperties().flatMap((property) => {
      const value = property.getValue();
      return value === null || value === '' ? [] : [{ name: property.getName(), value, at: at(instruction) }];
    }),
  ),
];

/** What runs: the last stage's user, environment and command. A stage that is built on another one inherits from it. */
function lastStage(parsed: Dockerfile, at: At, file: string): Omit<Container, 'limits'> {
  const froms = parsed.getFROMs();
  const own = inheritedFrom(parsed);
  const last = froms.at(-1);
  const image = last === undefined ? null : resolved(last.getImage() ?? '', parsed, last);
  const where: Place = last === undefined ? { file, line: 1, column: 1 } : at(last);
  const env = new Map<string, Fact<string | null>>();
  let entry: Fact<string>[] = [];
  let command: Fact<string>[] = [];
  let user: Container['user'] = { value: 'unstated', at: where };
  for (const instruction of own) {
    const keyword = instruction.getKeyword();
    if (keyword === 'ENV')
      for (const [name, value] of pairsOf(instruction)) env.set(name, { value, at: at(instruction) });
    if (keyword === 'ENTRYPOINT') [entry, command] = [wordsOf(instruction, at), []];
    if (keyword === 'CMD') command = wordsOf(instruction, at);
    if (keyword === 'USER')
      user = { value: userOf(resolved(argumentsOf(instruction), parsed, instruction)), at: at(instruction) };
  }
  const words = [...entry, ...command];
  // An export of files, such as wheels: it holds no system, and nothing in it is run.
  if (image === 'scratch' && words.length === 0) user = { value: 'other', at: user.at };
  return {
    name: last?.getBuildStage() ?? '',
    role: 'main',
    at: where,
    image: image === null ? null : { value: image, at: where },
    commands: words.length === 0 ? [] : commandsOf(words, env),
    replaced: words.length > 0,
    env,
    mounts: [],
    hostPorts: [],
    storage: null,
    user,
    security: null,
  };
}

/** The last stage's instructions after those of the stages that it is built on. */
function inheritedFrom(parsed: Dockerfile): Instruction[] {
  const froms = parsed.getFROMs();
  const all = parsed.getInstructions();
  const lineOf = (instruction: Instruction): number => instruction.getRange().start.line;
  const stageOf = (index: number): Instruction[] => {
    const from = froms[index]!;
    const end = froms[index + 1] === undefined ? Number.POSITIVE_INFINITY : lineOf(froms[index + 1]!);
    const own = all.filter((one) => lineOf(one) > lineOf(from) && lineOf(one) < end);
    const name = from.getImage()?.toLowerCase();
    const parent = froms.slice(0, index).findLastIndex((one) => one.getBuildStage()?.toLowerCase() === name);
    return parent < 0 ? own : [...stageOf(parent), ...own];
  };
  return froms.length === 0 ? [] : stageOf(froms.length - 1);
}

const pairsOf = (instruction: Instruction): [string, string][] =>
  (instruction as unknown as { getProperties(): { getName(): string; getValue(): string | null }[] })
    .getProperties()
    .map((property) => [property.getName(), property.getValue() ?? '']);

function wordsOf(instruction: Instruction, at: At): Fact<string>[] {
  const text = argumentsOf(instruction).trim();
  const where = at(instruction);
  if (text.startsWith('[')) {
    try {
      const list: unknown = JSON.parse(text.replace(/\\\r?\n/g, ' '));
      if (Array.isArray(list)) return list.map((word) => ({ value: String(word), at: where }));
    } catch {
      // Docker takes what is no JSON for the words of a shell, too.
    }
  }
  return ['/bin/sh', '-c', text].map((value) => ({ value, at: where }));
}

function userOf(text: string): Container['user']['value'] {
  const name = text.trim().split(':')[0]!;
  if (/^(?:0+|root|)$/.test(name)) return 'root';
  return name.includes('$') ? 'unstated' : 'other';
}
