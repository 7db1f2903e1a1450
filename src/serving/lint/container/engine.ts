// Which inference engine a container runs, and which model it is told to load. Known by program and by image; a name that is not
// in this table is not taken for a server, and only the rules that need no engine are held against it.
import type { Fact, Place } from '../../yaml/place.ts';
import { isTraining } from './program.ts';
import { flagOf, type Words } from './words.ts';
import type { Container } from './workload.ts';

/** A row of the table. */
export interface Engine {
  readonly name: string;
  readonly image: RegExp;
  /** Over one command's words, joined by spaces. */
  readonly program: RegExp;
  /** Flags that name the model. */
  readonly model: readonly string[];
  /** Its words after `program`, where the model is not a flag. */
  readonly positional?: RegExp;
  /** The first word is the model where the image's own entry point runs. */
  readonly first?: true;
  readonly env?: string;
  /** It asks the Hugging Face hub for what it does not find. */
  readonly hub?: true;
}

const ENGINES: readonly Engine[] = [
  {
    name: 'vLLM',
    image: /(?:^|[/-])vllm(?:-[^/]*|server)?(?:[:@]|$)|\/llm-d-(?:cuda|rocm|xpu|cpu|hpu|tpu)(?:[-:@]|$)/,
    program: /(?:^|[\s/])vllm serve\b|vllm\.entrypoints|vllm-serve/,
    model: ['--model'],
    positional: /(?:^|[\s/])vllm serve ([^-\s]\S*)/,
    first: true,
    hub: true,
  },
  {
    name: 'SGLang',
    image: /(?:^|\/)sglang(?:[-/:@]|$)/,
    program: /sglang\.launch_server|(?:^|[\s/])sglang serve\b/,
    model: ['--model-path', '--model'],
    hub: true,
  },
  {
    name: 'TGI',
    image: /text-generation-inference/,
    program: /(?:^|[\s/])text-generation-(?:launcher|server)\b/,
    model: ['--model-id'],
    env: 'MODEL_ID',
    hub: true,
  },
  {
    name: 'TEI',
    image: /text-embeddings-inference/,
    program: /(?:^|[\s/])text-embeddings-router\b/,
    model: ['--model-id'],
    env: 'MODEL_ID',
    hub: true,
  },
  {
    name: 'Triton',
    // Its -sdk holds clients.
    image: /(?:^|\/)tritonserver(?![^/]*-sdk\b)(?:[-/:@]|$)/,
    program: /(?:^|[\s/])tritonserver\b/,
    model: ['--model-repository', '--model-store'],
  },
  {
    name: 'llama.cpp',
    // Its workers lend their memory to a server, by a protocol that knows no adapters.
    image: /llama[._-]?cpp(?!-?(?:worker|rpc)\b)/,
    program: /(?:^|[\s/])llama-server\b|llama_cpp\.server/,
    model: ['--model', '-m', '--hf-repo', '-hf', '-hfr', '--model-url', '-mu'],
  },
  {
    name: 'Ollama',
    image: /(?:^|\/)ollama(?:[-:@]|\/ollama|$)/,
    program: /(?:^|[\s/])ollama (?:serve|run|pull)\b/,
    model: [],
    positional: /(?:^|[\s/])ollama (?:run|pull) ([^-\s]\S*)/,
  },
  {
    name: 'TorchServe',
    image: /(?:^|\/)torchserve(?:[-/:@]|$)/,
    program: /(?:^|[\s/])torchserve\b/,
    model: ['--model-store'],
  },
  {
    name: 'TensorFlow Serving',
    image: /tensorflow\/serving/,
    program: /tensorflow_model_server/,
    model: ['--model-base-path'],
  },
  {
    name: 'LMDeploy',
    image: /(?:^|\/)lmdeploy(?:[-/:@]|$)/,
    program: /(?:^|[\s/])lmdeploy serve api_server\b/,
    model: [],
    positional: /lmdeploy serve api_server ([^-\s]\S*)/,
    hub: true,
  },
  {
    name: 'KServe for Hugging Face',
    image: /huggingfaceserver/,
    program: /-m huggingfaceserver\b/,
    model: ['--model-id', '--model-dir'],
    hub: true,
  },
  {
    name: 'KServe',
    image: /(?:sklearn|xgb|lgb|pmml|paddle)server/,
    program: /-m (?:sklearn|xgb|lgb|pmml|paddle)server\b/,
    model: ['--model-id', '--model-dir'],
  },
  {
    name: 'MLServer',
    image: /(?:^|\/)mlserver(?:[-/:@]|$)/,
    program: /(?:^|[\s/])mlserver start\b/,
    model: [],
  },
  { name: 'LocalAI', image: /(?:^|\/)local-?ai(?:[-/:@]|$)/, program: /(?:^|[\s/])local-ai\b/, model: [] },
  { name: 'NIM', image: /(?:^|\/)nim\//, program: /^$/, model: [] },
];

const lineOf = (words: Words): string => words.map(({ value }) => value).join(' ');

/** Images of the same projects that serve no model. */
const BESIDE =
  /[^/]*(?:router|picker|predictor|gateway|mock|simulator|-sim\b|-agent|exporter|operator|controller)[^/]*$/;

/** The engine of a container; null for what is not known to serve. */
export function engineOf({ image, commands, replaced, storage }: Container): Engine | null {
  const lines = commands.map(lineOf);
  const byProgram = ENGINES.find(({ program }) => lines.some((line) => line !== '' && program.test(line)));
  if (byProgram !== undefined) return byProgram;
  if (storage !== null) return ENGINES.find(({ name }) => name === 'KServe')!;
  // An engine's image with a program of its own runs a benchmark or a training as well as a server.
  if (image === null || commands.some(isTraining)) return null;
  if (replaced && !lines.some((line) => /^\S*(?:ba|da|a|z)?sh\b/.test(line) || line.includes('entrypoint')))
    return null;
  const name = image.value.toLowerCase();
  if (BESIDE.test(name)) return null;
  return ENGINES.find((engine) => engine.image.test(name)) ?? null;
}

export interface ModelSource {
  readonly kind: 'path' | 'hub' | 'address';
  readonly value: string;
  /** What pins it, or seems to. */
  readonly revision: string | null;
  readonly at: Place;
}

/** Where the server finds its model, if that is written here. */
export function modelOf(container: Container, engine: Engine): ModelSource | null {
  const { storage, commands, env } = container;
  if (storage !== null) return storage.value === '' ? null : sourceOf(storage, null);
  for (const whole of commands) {
    const words = withoutModule(whole);
    const flag = engine.model.length === 0 ? null : flagOf(words, ...engine.model);
    const revision = flagOf(words, '--revision')?.value ?? env.get('REVISION')?.value ?? null;
    if (flag?.value != null) return sourceOf({ value: flag.value, at: flag.at }, revision);
    const named = engine.positional?.exec(lineOf(words))?.[1];
    const first = engine.first === true && !container.replaced ? words[0] : undefined;
    const word =
      words.find(({ value }) => value === named) ??
      (first?.value.startsWith('-') === false ? first : undefined);
    if (word !== undefined) return sourceOf(word, revision);
  }
  const stated = engine.env === undefined ? undefined : env.get(engine.env);
  if (stated?.value == null) return null;
  return sourceOf({ value: stated.value, at: stated.at }, env.get('REVISION')?.value ?? null);
}

/** `python -m llama_cpp.server -m model`: the first -m is the interpreter's. */
function withoutModule(words: Words): Words {
  const python = words.findIndex(({ value }) => /(?:^|\/)python[\d.]*$/.test(value));
  return python >= 0 && words[python + 1]?.value === '-m' ? words.slice(python + 3) : words;
}

function sourceOf({ value, at }: Fact<string>, revision: string | null): ModelSource {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) return { kind: 'address', value, revision, at };
  const kind = /^[./~$]|\.gguf$/.test(value) ? 'path' : 'hub';
  return { kind, value, revision, at };
}
