// Adapters against their configuration and their base model. An adapter is small, comes from anywhere and changes what a trusted
// model does; all that it may touch is written beside it, and this holds it to that. Pure.

import { quoted } from '../../../document/violations.ts';
import type { Finding } from '../../../rules/finding.ts';
import type { Check } from '../../../runtime/turn.ts';
import { type Adapter, adaptersOf, configsOf } from '../../adapter/adapter.ts';
import { CHECKED, type ConfigReading } from '../../adapter/config/adapter-config.ts';
import { Patterns } from '../../adapter/config/expression.ts';
import { Selection } from '../../adapter/config/selection.ts';
import type { Selections } from '../../adapter/scale.ts';
import type { MeasuredFile } from '../../measure/measured.ts';
import { folderOf } from '../../model/companion.ts';
import type { Profile } from '../../profile/profile.ts';
import { Contradictions } from '../contradictions.ts';
import { BaseModel, checkBase } from './base.ts';
import { checkFull, checkOthers, checkTargets } from './declared.ts';
import { checkPairs } from './pairs.ts';
import { checkSettings } from './settings.ts';
import { checkStrength } from './strength.ts';

/** `base`: the model that the adapters are for. */
export async function inspectAdapters(
  profile: Profile,
  files: readonly MeasuredFile[],
  base: Profile | undefined,
  check: Check,
): Promise<Finding[]> {
  const contradictions = new Contradictions();
  const configs = configsOf(files);
  for (const [folder, reading] of configs) checkSettings(folder, reading, contradictions);
  for (const adapter of adaptersOf(files, profile, configs)) {
    check();
    const model = base === undefined ? null : new BaseModel(base, adapter);
    inspectOne(adapter, configs.get(folderOf(adapter.path)), model, contradictions);
    if (model !== null) checkBase(adapter, model, contradictions);
  }
  return contradictions.list();
}

function inspectOne(
  adapter: Adapter,
  reading: ConfigReading | undefined,
  base: BaseModel | null,
  contradictions: Contradictions,
): void {
  const { path, config, spelling } = adapter;
  checkKind(adapter, contradictions);
  const isAlone = spelling === 'peft' ? config === null : spelling === 'mlx' && adapter.mlx === null;
  if (isAlone && reading === undefined) {
    const message =
      'no adapter_config.json is beside it: scale, targets and further tensors were not checked';
    contradictions.report('adapter/config-missing', path, message);
  }
  const patterns = new Patterns();
  const selections = selectionsOf(adapter, patterns);
  checkPairs(adapter, selections, contradictions);
  if (config !== null && CHECKED.has(config.kind)) checkTargets(adapter, selections.whole!, contradictions);
  checkFull(adapter, contradictions);
  checkOthers(adapter, base, contradictions);
  checkStrength(adapter, selections, base, contradictions);
  for (const expression of patterns.unread)
    contradictions.report('adapter/pattern', path, `the expression ${quoted(expression)} was not evaluated`);
  // Where modules could not be asked for, a pattern may be theirs.
  if (adapter.modules.length === 0 || patterns.unread.size > 0) return;
  for (const selection of [selections.whole, ...selections.components.values()])
    for (const key of selection?.unused() ?? [])
      contradictions.report('adapter/pattern-unused', path, `the pattern ${quoted(key)} decides nothing`);
}

function selectionsOf({ config, components }: Adapter, patterns: Patterns): Selections {
  return {
    whole: config === null ? null : new Selection(config, patterns),
    components: new Map([...components].map(([name, one]) => [name, new Selection(one, patterns)])),
  };
}

/** What the tensors mean must be known; where it is not, that is said, and no silence is a pass. */
function checkKind(adapter: Adapter, contradictions: Contradictions): void {
  const { path, spelling, config, mlx, modules, ggufType } = adapter;
  const report = (message: string): void => contradictions.report('adapter/kind', path, message);
  if (spelling === 'gguf') {
    const type = ggufType === null ? 'no adapter.type' : `the adapter.type ${quoted(ggufType)}`;
    if (ggufType !== 'lora') report(`it has ${type}: only lora is checked`);
  } else if (config !== null && !CHECKED.has(config.kind)) {
    report(`its peft_type is ${quoted(config.kind)}: its updates are not checked`);
  } else if (mlx !== null && !['lora', 'dora'].includes(mlx.kind)) {
    report(`its fine_tune_type is ${quoted(mlx.kind)}: only lora and dora are checked`);
  } else if (modules.length === 0 && config === null) {
    report('none of its tensors has a name of a kind that is checked');
  }
  const glora = modules.find(({ family }) => family === 'glora');
  if (glora !== undefined) report(`${quoted(glora.name)} is an update of GLoRA, which is not checked`);
}
