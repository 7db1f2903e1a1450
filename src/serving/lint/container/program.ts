// What a command is for, as far as a rule asks: it verifies a model, it trains one, it feeds a shell from the network.
import type { Words } from './words.ts';

const nameOf = (words: Words, index = 0): string => words[index]?.value.split('/').at(-1) ?? '';

/** It proves a model against a signature, an MBOM or checksums. */
export function isVerifier(words: Words): boolean {
  const line = words.map(({ value }) => value).join(' ');
  if (/(?:^|[\s/])steelyard (?:verify|provenance write|bom verify|pull)\b/.test(line)) return true;
  // The image of steelyard has it as its entry point.
  if (/^(?:verify|provenance write|bom verify) .*--(?:bom|public-key|signature)\b/.test(line)) return true;
  if (/(?:^|[\s/])model[_-]signing verify\b/.test(line)) return true;
  if (/(?:^|[\s/])cosign verify-blob\b/.test(line)) return true;
  return isChecksum(words);
}

/** `sha256sum -c`, also as the receiving end of a pipe. */
function isChecksum(words: Words): boolean {
  const start = words[0]?.value === '|' ? 1 : 0;
  if (!/^sha(?:256|384|512)sum$|^shasum$/.test(nameOf(words, start))) return false;
  return words.some(({ value }) => /^(?:--check|-[a-z]*c[a-z]*)$/.test(value));
}

/** A shell or an interpreter that is fed by a pipe. */
export const isPiped = (words: Words): boolean =>
  words[0]?.value === '|' &&
  /^(?:sh|bash|dash|ash|zsh|python3?|perl|ruby|node)$/.test(
    nameOf(words, /^(?:sudo|env)$/.test(nameOf(words, 1)) ? 2 : 1),
  );

/** A job that trains or packs models reads and writes them, and serves none. */
export const isTraining = (words: Words): boolean =>
  words.some(
    ({ value }) =>
      /(?:^|[/_.-])(?:train|finetune|fine_tune|sft|dpo|grpo|pretrain)(?:[_.-]|$)/.test(value) ||
      /^(?:torchrun|deepspeed|torch-model-archiver|trtllm-build)$/.test(value.split('/').at(-1)!),
  );
