// Low-rank adapters against their configuration and their base model. An adapter is small, comes from anywhere and changes what a
// trusted model does; all that it may touch is written beside it, and this holds it to that. Pure.
import type { Finding } from '../../finding.ts';
import { quoted } from '../../format/violations.ts';
import type { MeasuredFile } from '../../measure/measure.ts';
import type { Profile, TensorProfile } from '../../profile/profile.ts';
import { Evidence } from '../evidence.ts';
import { folderOf } from '../shard.ts';
import { type Adapter, adaptersOf, configsOf } from './adapter.ts';
import { BaseModel, checkBase } from './base.ts';
import { checkGgufOthers, checkOthers, checkTargets } from './declared.ts';
import { checkPairs } from './pairs.ts';
import { checkStrength } from './strength.ts';

/** `base`: the model that the adapters are for. */
export async function inspectAdapters(
  profile: Profile,
  files: readonly MeasuredFile[],
  base: Profile | undefined,
): Promise<Finding[]> {
  const evidence = new Evidence();
  const configs = configsOf(files);
  for (const [folder, { problems }] of configs) {
    for (const problem of problems)
      evidence.report('adapter/config', `${folder}adapter_config.json`, problem);
  }
  const adapters = adaptersOf(files, configs);
  const measured = new Map(adapters.map(({ path }) => [path, new Map<string, TensorProfile>()]));
  for (const tensor of profile.tensors) measured.get(tensor.file)?.set(tensor.name, tensor);
  for (const adapter of adapters) {
    const own = measured.get(adapter.path)!;
    const model =
      base === undefined
        ? null
        : new BaseModel(
            base,
            adapter.modules.map(({ name }) => name),
          );
    if (adapter.format === 'gguf') checkGguf(adapter, own, evidence);
    else await checkPeft(adapter, own, configs.has(folderOf(adapter.path)), model, evidence);
    if (model !== null) checkBase(adapter, model, evidence);
  }
  return evidence.list();
}

function checkGguf(adapter: Adapter, own: ReadonlyMap<string, TensorProfile>, evidence: Evidence): void {
  if (adapter.ggufType !== 'lora') {
    const type =
      adapter.ggufType === null ? 'no adapter.type' : `the adapter.type ${quoted(adapter.ggufType)}`;
    evidence.report('adapter/kind', adapter.path, `it has ${type}: only lora is checked`);
    if (adapter.modules.length === 0) return;
  }
  checkPairs(adapter, null, evidence);
  checkGgufOthers(adapter, evidence);
  checkStrength(adapter, null, own, evidence);
}

async function checkPeft(
  adapter: Adapter,
  own: ReadonlyMap<string, TensorProfile>,
  hasConfig: boolean,
  base: BaseModel | null,
  evidence: Evidence,
): Promise<void> {
  const { path, config } = adapter;
  if (config !== null && config.kind !== 'LORA') {
    evidence.report('adapter/kind', path, `its peft_type is ${quoted(config.kind)}: only LORA is checked`);
    return;
  }
  if (config === null) {
    checkPairs(adapter, null, evidence);
    const message =
      'no adapter_config.json is beside it: scale, targets and further tensors were not checked';
    if (!hasConfig) evidence.report('adapter/config-missing', path, message);
    return;
  }
  // The engine for foreign expressions is loaded where there is a configuration, and not for every scan.
  const [{ Patterns }, { Selection }] = await Promise.all([import('./pattern.ts'), import('./selection.ts')]);
  const patterns = new Patterns();
  const selection = new Selection(config, patterns);
  checkPairs(adapter, selection, evidence);
  checkTargets(adapter, selection, evidence);
  checkOthers(adapter, config, base, evidence);
  checkStrength(adapter, selection, own, evidence);
  for (const expression of patterns.unread)
    evidence.report('adapter/pattern', path, `the expression ${quoted(expression)} was not evaluated`);
}
