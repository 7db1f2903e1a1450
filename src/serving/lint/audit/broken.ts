// What a check says: a rule that a place breaks. Severities come later, from the table of rules and the policy.
import type { RuleId } from '../../../rules/rules.ts';
import type { Place } from '../../yaml/place.ts';
import type { Container, Workload } from '../container/container.ts';
import type { NetworkPolicy } from '../form/form.ts';

export interface Broken {
  readonly rule: RuleId;
  readonly at: Place;
  /** `Deployment/chat`; empty for a file without one. */
  readonly object: string;
  readonly container?: string;
  readonly message: string;
  readonly expected?: string;
  readonly actual?: string;
}

/** The release that the manifests are said to serve. */
export interface Release {
  /** `sha256:…` of the MBOM's bytes. */
  readonly id: string;
  readonly model: string;
  /** `name@sha256:…`. */
  readonly image: string | null;
}

/** What stands beside a workload. */
export interface Context {
  readonly policies: readonly NetworkPolicy[];
  readonly tokenless: readonly { readonly name: string; readonly namespace: string | null }[];
  readonly release: Release | null;
}

export type Check = (workload: Workload, context: Context) => Broken[];

export const objectOf = ({ kind, name }: Workload): string => (name === '' ? kind : `${kind}/${name}`);

type Said = Omit<Broken, 'rule' | 'at' | 'object' | 'container'>;

/** Makes findings about one container. */
export const about =
  (workload: Workload, { name }: Container) =>
  (rule: RuleId, at: Place, said: Said | string): Broken => ({
    rule,
    at,
    object: objectOf(workload),
    ...(name === '' ? {} : { container: name }),
    ...(typeof said === 'string' ? { message: said } : said),
  });
