// Low-rank adapters against their configuration and their base model. An adapter is small, comes from anywhere and changes what a
// trusted model does; all that it may touch is written beside it, and this holds it to that. Pure.

import { quoted } from '../../../document/violations.ts';
import type { Finding } from '../../../rules/finding.ts';
import type { MeasuredFile } from '../../measure/measured.ts';
import type { Profile, TensorProfile } from '../../profile/profile.ts';
import { Contradictions } from '../contradictions.ts';
import { folderOf } from '../shards/shard.ts';
import { BaseModel, checkBase } from './base.ts';
import { checkGgufOthers, checkOthers, checkTargets } from './declared.ts';
import { type Adapter, adaptersOf, configsOf } from './modules.ts';
import { checkPairs } from './pairs.ts';
import { checkStrength } from './strength.ts';

/** `base`: the model that the adapters are for. */
export async function inspectAdapters(
  profile: Profile,
  files: readonly MeasuredFile[],
  base: Profile | undefined,
): Promise<Finding[]> {
  const contradictions = new Contradictions();
  const configs = configsOf(files);
  for (const [folder, { problems }] of configs) {
    for (const problem of problems)
      contradictions.report('adapter/config', `${folder}adapter_config.json`, problem);
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
    if (adapter.format === 'gguf') checkGguf(adapter, own, contradictions);
    else await checkPeft(adapter, own, configs.has(folderOf(adapter.path)), model, contradictions);
    if (model !== null) checkBase(adapter, model, contradictions);
  }
  return contradictions.list();
}

function checkGguf(
  adapter: Adapter,
  own: ReadonlyMap<string, TensorProfile>,
  contradictions: Contradictions,
): void {
  if (adapter.ggufType !== 'lora') {
    const type =
      adapter.ggufType === null ? 'no adapter.type' : `the adapter.type ${quoted(adapter.ggufType)}`;
    contradictions.report('adapter/kind', adapter.path, `it has ${type}: only lora is checked`);
    if (adapter.modules.length === 0) return;
  }
  checkPairs(adapter, null, contradictions);
  checkGgufOthers(adapter, contradictions);
  checkStrength(adapter, null, own, contradictions);
}

async function checkPeft(
  adapter: Adapter,
  own: ReadonlyMap<string, TensorProfile>,
  hasConfig: boolean,
  base: BaseModel | null,
  contradictions: Contradictions,
): Promise<void> {
  const { path, config } = adapter;
  if (config !== null && config.kind !== 'LORA') {
    contradictions.report(
      'adapter/kind',
      path,
      `its peft_type is ${quoted(config.kind)}: only LORA is checked`,
    );
    return;
  }
  if (config === null) {
    checkPairs(adapter, null, contradictions);
    const message =
      'no adapter_config.json is beside it: scale, targets and further tensors were not checked';
    if (!hasConfig) contradictions.report('adapter/config-missing', path, message);
    return;
  }
  // The engine for foreign expressions is loaded where there is a configuration, and not for every scan.
  const [{ Patterns }, { Selection }] = await Promise.all([
    import('./expression.ts'),
    import('./selection.ts'),
  ]);
  const patterns = new Patterns();
  const selection = new Selection(config, patterns);
  checkPairs(adapter, selection, contradictions);
  checkTargets(adapter, selection, contradictions);
  checkOthers(adapter, config, base, contradictions);
  checkStrength(adapter, selection, own, contradictions);
  for (const expression of patterns.unread)
    contradictions.report('adapter/pattern', path, `the expression ${quoted(expression)} was not evaluated`);
}
