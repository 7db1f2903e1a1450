// Manifests in, findings out: does the serving configuration keep what the release promised? Pure: bytes, an MBOM, a policy and a
// day go in. Nothing is fetched, built or run.
import { createHash } from 'node:crypto';
import { SteelyardError } from '../../rules/error.ts';
import { VERSION } from '../../runtime/package.ts';
import { checkForms, type Release } from './audit/audit.ts';
import { engineOf, type Workload } from './container/container.ts';
import { type Form, readForm, unreadable } from './form/form.ts';
import { judgeServing, type Terms } from './judge.ts';
import type { ServingError, ServingFile, ServingReport } from './serving-report.ts';

export type { Release } from './audit/audit.ts';
export { releaseOf } from './release.ts';
export type { ServingError, ServingFinding, ServingReport } from './serving-report.ts';
export { servingText } from './serving-text.ts';

export interface Manifest {
  /** The path as the user wrote it. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

export interface LintOptions extends Terms {
  /** What the manifests are said to serve: they are held against it. */
  readonly release?: Release | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** More than any cluster applies at once; every policy is held against every workload. */
const WORKLOADS = 5000;
const POLICIES = 2000;
const CONTAINERS = 256;

/**
 * Lints manifests that are applied together.
 *
 * @throws SteelyardError ABORTED; USAGE as `judgeServing` does.
 */
export async function lint(
  manifests: readonly Manifest[],
  options: LintOptions = {},
): Promise<ServingReport> {
  const forms: Form[] = [];
  for (const { file, bytes } of manifests) {
    if (options.signal?.aborted) throw new SteelyardError('ABORTED', 'the lint was aborted');
    const text = decoded(bytes);
    forms.push(text === null ? unreadable(file, 'not UTF-8') : await readForm(text, file));
  }
  const limited = limitOf(forms);
  const release = options.release ?? null;
  const broken = limited.length > 0 ? [] : checkForms(forms, release);
  const errors = [...forms.flatMap(faultsOf), ...limited, ...nothing(forms)];
  const { findings, verdict } = judgeServing(broken, errors, options);
  return {
    schema: 'steelyard/serving/1',
    tool: { name: 'steelyard', version: VERSION },
    release,
    verdict,
    files: manifests.map((manifest, i) => fileOf(manifest, forms[i]!)),
    findings,
    errors,
  };
}

function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

const faultsOf = ({ faults }: Form): ServingError[] =>
  faults.map(({ code, at, message }) => ({ code, ...at, message }));

/** A lint that looked at nothing is no pass. */
function nothing(forms: readonly Form[]): ServingError[] {
  if (forms.some(({ workloads, faults }) => workloads.length > 0 || faults.length > 0)) return [];
  return [{ code: 'NOT_FOUND', file: '', message: 'nothing in these files runs a container' }];
}

function limitOf(forms: readonly Form[]): ServingError[] {
  const workloads = forms.flatMap((form) => form.workloads);
  const policies = forms.flatMap((form) => form.policies);
  const most = workloads.reduce((sum, { containers }) => Math.max(sum, containers.length), 0);
  const over = [
    [workloads.length, WORKLOADS, 'workloads'],
    [policies.length, POLICIES, 'network policies'],
    [most, CONTAINERS, 'containers in one workload'],
  ] as const;
  return over.flatMap(([count, limit, what]) =>
    count > limit
      ? [{ code: 'LIMIT', file: '', message: `more than ${limit} ${what}: ${count}` } as const]
      : [],
  );
}

function fileOf({ file, bytes }: Manifest, { format, workloads }: Form): ServingFile {
  return {
    file,
    sha256: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    size: bytes.length,
    format,
    workloads: workloads.map(workloadOf),
  };
}

const workloadOf = (workload: Workload): ServingFile['workloads'][number] => ({
  object: workload.name === '' ? workload.kind : `${workload.kind}/${workload.name}`,
  line: workload.at.line,
  containers: workload.containers.map((container) => ({
    name: container.name,
    image: container.image?.value ?? null,
    serves: engineOf(container)?.name ?? null,
  })),
});
