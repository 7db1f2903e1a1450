// Secrets that are written out. A finding never repeats the secret.

import type { Place } from '../../yaml/place.ts';
import type { Container, Workload } from '../container/container.ts';
import { flagOf } from '../container/container.ts';
import type { Build } from '../form/form.ts';
import { about, type Broken, type Check } from './broken.ts';

const KEY =
  /(?:^|_)(?:(?:API|ACCESS|SECRET|PRIVATE|ENCRYPTION|SIGNING|MASTER|ADMIN|AUTH|ACCOUNT)_?KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?)$/i;
/** Forms that are secrets whatever they are called. */
const FORM =
  /\b(?:hf_[A-Za-z0-9]{30,}|sk-[A-Za-z0-9_-]{20,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|glpat-[\w-]{20}|xox[abp]-[\w-]{10,})|-----BEGIN [A-Z ]*PRIVATE KEY-----/;
/** A path, a reference, a switch or nothing is no secret. */
const HARMLESS = /^(?:|true|false|yes|no|on|off|none|null|\d{1,4}|EMPTY)$|^(?:\/|file:|<)|\$[({]?\w|\{\{/i;

const isSecret = (name: string, value: string): boolean =>
  FORM.test(value) || (KEY.test(name.replaceAll('-', '_')) && !HARMLESS.test(value));

export const checkSecrets: Check = (workload) =>
  workload.format === 'dockerfile' || workload.format === 'oci'
    ? []
    : workload.containers.flatMap((container) => secretsOf(workload, container));

function secretsOf(workload: Workload, container: Container): Broken[] {
  const say = about(workload, container);
  const variables = [...container.env].flatMap(([name, { value, at }]) =>
    value !== null && isSecret(name, value)
      ? [say('secret/literal', at, `the value of ${name} is written out`)]
      : [],
  );
  const flags = container.commands.flatMap((words) =>
    ['--api-key', '--admin-api-key', '--token', '--hf-token', '--password'].flatMap((name) => {
      const flag = flagOf(words, name);
      return flag?.value == null || HARMLESS.test(flag.value)
        ? []
        : [say('secret/literal', flag.at, `the value of ${name} is written out`)];
    }),
  );
  return [...variables, ...flags.slice(0, 1)];
}

export const buildSecrets = ({ values }: Build): { readonly at: Place; readonly message: string }[] =>
  values.flatMap(({ name, value, at }) =>
    isSecret(name, value) ? [{ at, message: `the value of ${name} stays in the image` }] : [],
  );
