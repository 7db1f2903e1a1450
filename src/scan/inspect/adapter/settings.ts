// What adapter_config.json says beyond scale and targets: code that is imported, files that are opened, and fields that change
// what the factors mean.
import { quoted } from '../../../document/violations.ts';
import type { ConfigReading } from '../../adapter/config/adapter-config.ts';
import type { Setting } from '../../adapter/config/setting.ts';
import type { Contradictions } from '../contradictions.ts';

export function checkSettings(
  folder: string,
  { config, problems }: ConfigReading,
  contradictions: Contradictions,
): void {
  const path = `${folder}adapter_config.json`;
  for (const problem of problems) contradictions.report('adapter/config', path, problem);
  for (const setting of config?.settings ?? [])
    contradictions.report(RULES[setting.kind], path, messageOf(setting));
}

const RULES = {
  code: 'adapter/code',
  path: 'adapter/path',
  effect: 'adapter/effect',
  unknown: 'adapter/setting',
} as const;

function messageOf({ kind, key, value, what }: Setting): string {
  const set = `${quoted(key)} is ${quoted(value)}`;
  if (kind === 'code') return `${quoted(key)} names code to import: ${quoted(value)}`;
  if (kind === 'path') return `${quoted(key)} leads to ${quoted(value)}`;
  return kind === 'effect' ? `${set}: it ${what}` : `${set}, and what it does is not known here`;
}
