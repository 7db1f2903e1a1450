// What lies in a model's folder and is not part of the model. The specification lets a signer leave out any path, and so a
// signer who is careless (or fooled) leaves out weights: whatever a loader would load or run is told apart here.

import { isLoadable } from '../../../scan/model/loadable.ts';

/** Left out by every implementation, at the top of the model only (model_signing spec v1.0). */
const GIT = ['.git', '.gitattributes', '.github', '.gitignore'];

/**
 * What is made after the model and about it. Exact names, recorded in the signature, so that an MBOM or attestation that
 * is added later breaks no signature that is there already; `hf download --local-dir` leaves the last one.
 */
const EVIDENCE = [
  'model.sig',
  'model.mbom.yaml',
  'model.mbom.yaml.sigstore.json',
  'model.intoto.jsonl',
  'claims.jsonl',
  '.cache/huggingface',
];

/** Recorded in what we sign. */
export const DEFAULT_IGNORED: readonly string[] = [...EVIDENCE, ...GIT];

/** What a caller names as no part of the model, and what never is. */
export const withDefaults = (ignore: readonly string[] = []): readonly string[] => [
  ...new Set([...ignore, ...DEFAULT_IGNORED]),
];

/** Whether a path is one of `ignored` or lies below one. No globs. */
export function exclusion(ignored: readonly string[]): (path: string) => boolean {
  const set = new Set(ignored);
  return (path) => {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      if (set.has(path.slice(0, end))) return true;
    }
    return false;
  };
}

/**
 * Where no loader looks: a clone's own .git may hold the very weights once more, under the name of their digest. What is called
 * like something that is loaded does not belong there; scripts of a forge do.
 */
export const isGit = (path: string): boolean =>
  /^(\.gitattributes|\.gitignore)$/.test(path) ||
  (/^\.git\//.test(path) && !isLoadable(path)) ||
  (/^\.github\//.test(path) && (!isLoadable(path) || /\.(py|sh|js|mjs|ts|rb|ps1|bat)$/.test(path)));

/**
 * What a signer may leave out: what people read, pictures, and evidence about the model. A list of what may not be left out would
 * always lack a name, and configurations decide what a model does.
 */
export const mayBeLeftOut = (path: string): boolean => LEFT_OUT.test(path) && !isLoadable(path);

const LEFT_OUT = new RegExp(
  [
    '(^|/)(readme|licen[cs]e|notice|copying|changelog|citation|authors|contributing|security|code_of_conduct|use_policy|model_card|modelcard)(\\.[\\w.-]*)?$',
    '\\.(md|rst|png|jpe?g|gif|webp|svg|ico|pdf|mp4|webm|bib|cff)$',
    '\\.(sig|sigstore|sigstore\\.json|asc|minisig|intoto\\.jsonl|att|mbom\\.yaml|cdx\\.json|spdx\\.json|sha256|sha512|pem|crt)$',
    '(^|/)(claims\\.jsonl|sha256sums|sha512sums|\\.ds_store|\\.gitkeep|\\.gitattributes|\\.gitignore|cachedir\\.tag)$',
    '^\\.cache/huggingface/([\\w./ -]+\\.(metadata|lock|gitignore)|\\.gitignore)$',
  ].join('|'),
  'i',
);
