// Where the model comes from, who can change it, and who verifies it. No other linter asks.
import {
  type Container,
  type Engine,
  engineOf,
  flagOf,
  isJob,
  isVerifier,
  type ModelSource,
  type Mount,
  modelOf,
  type Words,
  type Workload,
} from '../container/container.ts';
import { about, type Broken, type Check } from './broken.ts';
import { downloadFindings, isPinned, mutable } from './model-source.ts';

export const checkModel: Check = (workload) => [
  ...workload.containers.flatMap((container) => {
    const engine = container.role === 'init' ? null : engineOf(container);
    const found = downloads(workload, container);
    return engine === null ? found : [...found, ...served(workload, container, engine)];
  }),
];

function served(workload: Workload, container: Container, engine: Engine): Broken[] {
  const model = modelOf(container, engine);
  const mounts = modelMounts(container, model);
  // A job that fills a volume must write to it, and whoever serves the volume has to verify it.
  if (isJob(workload) && fetches(container)) return sourceFindings(workload, container, model);
  return [
    ...sourceFindings(workload, container, model),
    ...writableFindings(workload, container, mounts),
    ...unverifiedFindings(workload, container, mounts, model),
  ];
}

const fetches = ({ commands }: Container): boolean =>
  commands.some((words) => /(?:^|[\s/])ollama pull\b/.test(words.map(({ value }) => value).join(' ')));

const WORDS =
  /(?:^|[/._-])(?:models?(?!-server)|weights?|checkpoints?|loras?|adapters?|huggingface|hf[_-]?(?:home|cache|hub)|gguf)(?=$|[/._-])/i;

/** Volumes that hold the model: the one it is loaded from, and those that are called so. */
function modelMounts({ mounts }: Container, model: ModelSource | null): Mount[] {
  const path = model?.kind === 'path' ? model.value : null;
  return mounts.filter(
    (mount) =>
      (path !== null && isUnder(path, mount.path)) || WORDS.test(mount.path) || WORDS.test(mount.volume),
  );
}

const isUnder = (path: string, folder: string): boolean => {
  const root = folder.replace(/\/+$/, '');
  return root !== '' && (path === root || path.startsWith(`${root}/`));
};

function sourceFindings(workload: Workload, container: Container, model: ModelSource | null): Broken[] {
  if (model === null || model.kind === 'path') return [];
  const reason = mutable(model);
  if (reason === null) return [];
  return [
    about(workload, container)('model/mutable-source', model.at, {
      message: reason,
      actual: model.revision === null ? model.value : `${model.value}, revision ${model.revision}`,
    }),
  ];
}

/** Init containers may write: they fetch. Whatever runs beside the server may not. */
function writableFindings(workload: Workload, container: Container, mounts: readonly Mount[]): Broken[] {
  const volumes = new Set(mounts.map(({ volume }) => volume));
  const beside = workload.containers.filter((other) => other.role !== 'init' && other !== container);
  const own = mounts
    .filter(({ readOnly }) => !readOnly)
    .map(({ path, at }) =>
      about(workload, container)('model/writable', at, {
        message: 'the server can write to the model that it serves',
        actual: path,
      }),
    );
  const others = beside.flatMap((other) =>
    // Another server speaks for itself.
    engineOf(other) !== null
      ? []
      : other.mounts
          .filter(({ volume, readOnly }) => !readOnly && volumes.has(volume))
          .map(({ path, at }) =>
            about(workload, other)('model/writable', at, {
              message: `the container can write to the model that ${container.name} serves`,
              actual: path,
            }),
          ),
  );
  return [...own, ...others];
}

function unverifiedFindings(
  workload: Workload,
  container: Container,
  mounts: readonly Mount[],
  model: ModelSource | null,
): Broken[] {
  // A model inside an image is pinned by the image's digest; one that is named nowhere cannot be judged here.
  const elsewhere = model !== null && model.kind !== 'path';
  if (workload.format === 'dockerfile' || workload.format === 'oci') return [];
  if (mounts.length === 0 && !elsewhere) return [];
  const volumes = new Set(mounts.map(({ volume }) => volume));
  const verifiers = workload.containers.filter(
    ({ role, commands }) => role === 'init' && commands.some((words) => isVerifier(words)),
  );
  if (
    verifiers.some((verifier) =>
      verifier.mounts.some((mount) => volumes.has(mount.volume) && names(verifier, mount)),
    )
  )
    return [];
  const message =
    verifiers.length > 0
      ? `the init container ${verifiers[0]!.name} verifies something else than the volume that is served`
      : 'no init container verifies the model';
  return [about(workload, container)('model/unverified', (mounts[0] ?? model ?? container).at, message)];
}

/** The verifier's own words name a path on the volume, or it works in the folder. */
const names = ({ commands }: Container, { path }: Mount): boolean =>
  commands.some((words) => words.some(({ value }) => value.includes(path.replace(/\/+$/, ''))));

/** Whatever fetches weights in a pod must check them. */
function downloads(workload: Workload, container: Container): Broken[] {
  const checked = container.commands.some((words: Words) => isVerifier(words));
  if (checked) return [];
  const hub = container.commands.flatMap((words) => {
    const line = words.map(({ value }) => value).join(' ');
    const download = /(?:^|[\s/])(?:huggingface-cli|hf) download ([^-\s]\S*)/.exec(line);
    if (download === null || isPinned(flagOf(words, '--revision')?.value ?? null)) return [];
    return [
      about(workload, container)('model/mutable-source', words[0]!.at, {
        message: 'the download names no commit of the hub',
        actual: download[1]!,
      }),
    ];
  });
  return [...hub, ...downloadFindings(container.commands, about(workload, container))];
}
