// Every check, over everything that was read.
import type { Form } from '../form/form.ts';
import type { Broken, Check, Context, Release } from './broken.ts';
import { checkBuild } from './building.ts';
import { checkEgress } from './egress.ts';
import { checkImages, checkProvenance } from './images.ts';
import { checkLoad, remoteCodeInText } from './load.ts';
import { checkSecrets } from './secret.ts';
import { checkSecurity } from './security.ts';
import { checkModel } from './served-model.ts';

export type { Broken, Release } from './broken.ts';

const CHECKS: readonly Check[] = [
  checkImages,
  checkSecurity,
  checkSecrets,
  checkModel,
  checkLoad,
  checkEgress,
  checkProvenance,
];

/** Policies and accounts of one file count for the workloads of another: they are applied together. */
export function checkForms(forms: readonly Form[], release: Release | null): Broken[] {
  const context: Context = {
    policies: forms.flatMap(({ policies }) => policies),
    tokenless: forms.flatMap(({ tokenless }) => tokenless),
    release,
  };
  return forms.flatMap(({ workloads, builds, texts }) => [
    ...workloads.flatMap((workload) => CHECKS.flatMap((check) => check(workload, context))),
    ...builds.flatMap((build) => checkBuild(build, workloads[0])),
    ...texts.flatMap(remoteCodeInText),
  ]);
}
