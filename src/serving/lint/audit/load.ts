// How the server loads: whether it runs the model's code, fetches at run time, or takes other weights from whoever asks.

import type { Fact } from '../../yaml/place.ts';
import { type Container, type Engine, engineOf, flagOf, type Workload } from '../container/container.ts';
import { about, type Broken, type Check } from './broken.ts';

export const checkLoad: Check = (workload) =>
  workload.containers.flatMap((container) => {
    const engine = engineOf(container);
    return [
      ...remoteCode(workload, container),
      ...(engine === null || container.role === 'init'
        ? []
        : [...online(workload, container, engine), ...hotSwap(workload, container, engine)]),
    ];
  });

const ON = /^(?:1|true|yes|on)$/i;

function remoteCode(workload: Workload, container: Container): Broken[] {
  const say = about(workload, container);
  const flags = container.commands.flatMap((words) => {
    const flag = flagOf(words, '--trust-remote-code');
    if (flag === null || /^(?:0|false|no|off)$/i.test(flag.value ?? '')) return [];
    return [
      say('load/remote-code', flag.at, {
        message: 'the model may bring code',
        actual: '--trust-remote-code',
      }),
    ];
  });
  const variables = [...container.env].flatMap(([name, { value, at }]) => {
    const code = /^(?:\w+_)?TRUST_REMOTE_CODE$/.test(name);
    if (!(code || name === 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD') || value === null || !ON.test(value))
      return [];
    const message = code ? 'the model may bring code' : 'pickles of the model are run';
    return [say('load/remote-code', at, { message, actual: `${name}=${value}` })];
  });
  // A script that was split is there as a whole, too: once is enough.
  return [...flags.slice(0, 1), ...variables];
}

/** The same word inside of a text: an engine's own configuration in a ConfigMap, a Ray application, a line of Python. */
export function remoteCodeInText({ value, at }: Fact<string>): Broken[] {
  const found = /\btrust_remote_code["']?\s*[:=]\s*["']?(?:true|1)\b/i.exec(value);
  if (found === null) return [];
  return [
    { rule: 'load/remote-code', at, object: '', message: 'the model may bring code', actual: found[0] },
  ];
}

function online(workload: Workload, container: Container, engine: Engine): Broken[] {
  const { env } = container;
  const say = about(workload, container);
  const found: Broken[] = [];
  const endpoint = env.get('HF_ENDPOINT');
  if (endpoint !== undefined)
    found.push(
      say('load/online', endpoint.at, {
        message: 'files of the model come from another hub',
        actual: `HF_ENDPOINT=${endpoint.value ?? '(from elsewhere)'}`,
      }),
    );
  // An image by itself is not told yet how it will run.
  const placed = workload.format === 'kubernetes' || workload.format === 'compose';
  const offline = ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'].some((name) =>
    ON.test(env.get(name)?.value ?? ''),
  );
  if (placed && engine.hub === true && !offline)
    found.push(say('load/online', container.at, `${engine.name} runs without HF_HUB_OFFLINE=1`));
  return found;
}

interface Swap {
  readonly engine: string;
  readonly find: (container: Container) => {
    readonly at: Fact<unknown>['at'];
    readonly message: string;
    /** Something is missing that may still be given where the image runs. */
    readonly placed?: boolean;
  } | null;
}

const flagIn = ({ commands }: Container, ...names: readonly string[]) =>
  commands.map((words) => flagOf(words, ...names)).find((flag) => flag !== null) ?? null;

const envIs = ({ env }: Container, name: string, pattern: RegExp): Fact<string | null> | null => {
  const fact = env.get(name);
  return fact !== undefined && pattern.test(fact.value ?? '') ? fact : null;
};

/** Ways into an engine that change what it serves, each read in that engine's documentation. */
const SWAPS: readonly Swap[] = [
  {
    engine: 'vLLM',
    find: (container) => {
      const fact = envIs(container, 'VLLM_ALLOW_RUNTIME_LORA_UPDATING', ON);
      return fact && { at: fact.at, message: 'adapters can be loaded by /v1/load_lora_adapter' };
    },
  },
  {
    engine: 'Triton',
    find: (container) => {
      const flag = flagIn(container, '--model-control-mode');
      if (flag === null || flag.value === 'none') return null;
      const how =
        flag.value === 'poll'
          ? 'whatever appears in the repository is served'
          : 'models are loaded by request';
      return { at: flag.at, message: `--model-control-mode=${flag.value}: ${how}` };
    },
  },
  {
    engine: 'llama.cpp',
    find: (container) => {
      const props = flagIn(container, '--props');
      if (props !== null)
        return { at: props.at, message: '--props lets a request change properties of the server' };
      const key = flagIn(container, '--api-key', '--api-key-file');
      if (key !== null || container.env.has('LLAMA_API_KEY')) return null;
      return {
        at: container.at,
        message: 'without --api-key-file anybody sets adapters by /lora-adapters',
        placed: true,
      };
    },
  },
  {
    engine: 'Ollama',
    find: (container) => {
      const fact = envIs(container, 'OLLAMA_HOST', /^(?:https?:\/\/)?(?:0\.0\.0\.0|\[?::\]?)(?::\d+)?\/?$/);
      return (
        fact && { at: fact.at, message: 'anybody who reaches the port can pull, create and delete models' }
      );
    },
  },
  {
    engine: 'SGLang',
    find: (container) => {
      const lora = flagIn(container, '--enable-lora', '--lora-paths');
      if (lora === null || flagIn(container, '--api-key', '--admin-api-key') !== null) return null;
      return { at: lora.at, message: 'anybody can load adapters by /load_lora_adapter: no --api-key is set' };
    },
  },
  {
    engine: 'TorchServe',
    find: (container) => {
      const flag = flagIn(container, '--enable-model-api');
      const fact = envIs(container, 'TS_ENABLE_MODEL_API', ON);
      const at = flag?.at ?? fact?.at;
      return at === undefined ? null : { at, message: 'models can be registered by request' };
    },
  },
  {
    engine: 'TensorFlow Serving',
    find: (container) => {
      const flag = flagIn(container, '--model-config-file-poll-wait-seconds');
      return flag === null || flag.value === '0'
        ? null
        : { at: flag.at, message: 'the list of models is read again and again' };
    },
  },
];

function hotSwap(workload: Workload, container: Container, { name }: Engine): Broken[] {
  const found = SWAPS.find(({ engine }) => engine === name)?.find(container) ?? null;
  const image = workload.format === 'dockerfile' || workload.format === 'oci';
  return found === null || (found.placed === true && image)
    ? []
    : [about(workload, container)('load/hot-swap', found.at, found.message)];
}
