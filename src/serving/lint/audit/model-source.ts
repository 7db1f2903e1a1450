// Addresses of models: which of them always mean the same bytes.
import type { ModelSource, Words } from '../container/container.ts';
import type { about, Broken } from './broken.ts';

/** A commit of Git. */
export const isPinned = (revision: string | null): boolean =>
  revision !== null && /^[0-9a-f]{40}$/.test(revision);

const MOVING = /(?:^|[/@:])(?:latest|main|master|current|newest|stable|prod(?:uction)?)(?:$|\/)/i;

/** Why a source can change; null for one that cannot, or where only a verifier could say. */
export function mutable({ kind, value, revision }: ModelSource): string | null {
  if (kind === 'hub') {
    // Ollama's names have a digest nowhere; llama.cpp's have no commit.
    return isPinned(revision ?? /@([0-9a-f]{40})$/.exec(value)?.[1] ?? null)
      ? null
      : 'the model is fetched from a hub by name: no commit is named';
  }
  const scheme = value.split(':', 1)[0]!.toLowerCase();
  if (scheme === 'hf') {
    const commit = revision ?? /[@:]([0-9a-f]{40})$/.exec(value)?.[1] ?? null;
    return isPinned(commit) ? null : 'the model is fetched from a hub by name: no commit is named';
  }
  if (scheme === 'oci') return /@sha256:[0-9a-f]{64}$/.test(value) ? null : 'the artifact has no digest';
  if (/^https?$/.test(scheme)) return 'whoever runs the server at this address can send another model';
  return MOVING.test(value) ? 'the name of the folder says that its content moves' : null;
}

const WEIGHTS = /\.(?:safetensors|gguf|ggml|pth?|ckpt|onnx|h5|pkl|npz)(?:$|[?#])/i;
/** What tools come in, too: weights only where the address says so. */
const ARCHIVE =
  /(?:models?|weights?|checkpoints?|adapters?|loras?)[/_.-].*\.(?:bin|tar(?:\.\w+)?|tgz|zip)(?:$|[?#])/i;
const HUB = /^https?:\/\/(?:www\.)?(?:huggingface\.co|hf\.co|modelscope\.cn)\/(?!datasets\/|spaces\/)/;

/** wget and curl of weights, clones of a hub: without a checksum nobody knows what came. */
export function downloadFindings(commands: readonly Words[], say: ReturnType<typeof about>): Broken[] {
  return commands.flatMap((words) => {
    const names = words.map(({ value }) => value.split('/').at(-1)!);
    const fetches = names.some((name) => /^(?:wget|curl|aria2c)$/.test(name));
    const clones = names.includes('git') && names.includes('clone');
    const address = words.find(
      ({ value }) =>
        (fetches && /^https?:\/\//.test(value) && isWeights(value)) || (clones && HUB.test(value)),
    );
    if (address === undefined) return [];
    return [
      say('model/mutable-source', address.at, {
        message: 'weights are fetched without a checksum',
        actual: address.value,
      }),
    ];
  });
}

export const isWeights = (address: string): boolean =>
  WEIGHTS.test(address) || ARCHIVE.test(address) || HUB.test(address);
