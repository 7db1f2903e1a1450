// Where drift's facts come from: the signed releases, and the targets.
import type { Outcome } from '../../proof/sign/refusal.ts';
import { verifyDocument } from '../../proof/sign/verify.ts';
import {
  type BehaviourLook,
  behaviourLook,
  clientOf,
  kubeconfig,
  podsOf,
  type Release,
  type Rollout,
  type RoundOptions,
  readTargets,
  releaseOf,
  serviceAccount,
  type Target,
} from '../../serving/drift/drift.ts';
import { readInput } from '../option/input.ts';
import { readSignature } from '../option/mbom-options.ts';
import { trustOf, usage } from '../option/trust-options.ts';
import type { DriftFlags } from './drift-flags.ts';

/** A document that nobody who is trusted has signed. */
interface Refused {
  readonly refused: Outcome<{ signer: null }>;
}

/** The releases that may run, or why one of them is not proven. */
export function rolloutOf(
  { bom, signature, previous, until, ...flags }: DriftFlags,
  now: Date,
): Rollout | Refused {
  if (bom === undefined) throw usage('say which release should run: --bom FILE');
  if ((previous === undefined) !== (until === undefined)) throw usage('--previous and --until go together');
  if (until !== undefined && !isDay(until)) throw usage(`--until is no day: ${until}; write YYYY-MM-DD`);
  const trust = trustOf(flags);
  const read = (file: string, beside = `${file}.sigstore.json`): ReturnType<typeof releaseOf> =>
    releaseOf(readInput(file, 'MBOM'), readSignature(beside), trust, now);
  const current = read(bom, signature);
  if (!current.verified) return { refused: current };
  if (previous === undefined) return { current: current.release };
  const before = read(previous);
  if (!before.verified) return { refused: before };
  return { current: current.release, previous: { release: before.release as Release, until: until! } };
}

/** The fingerprints that were given, each signed as the MBOM is; null: none was given. */
export async function behaviourOf(
  { fingerprint: files, model, bom: _bom, signature: _signature, ...flags }: DriftFlags,
  { current, previous }: Rollout,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<BehaviourLook | null | Refused> {
  if (files === undefined) return null;
  const { parseFingerprint } = await import('../../canary/canary.ts');
  const trust = trustOf(flags);
  const releases = [current, ...(previous === undefined ? [] : [previous.release])].map(({ bomId }) => bomId);
  const fingerprints = new Map<string, ReturnType<typeof parseFingerprint>>();
  for (const file of files) {
    const document = readInput(file, 'fingerprint');
    const signed = verifyDocument(document, readSignature(`${file}.sigstore.json`), trust);
    if (!signed.verified) return { refused: signed };
    const fingerprint = parseFingerprint(document);
    const { release, tie } = fingerprint;
    if (!releases.includes(release.bom)) throw usage(`${file} is of another release`);
    if (tie === 'none') throw usage(`${file} was taken of a target that nothing tied to the release`);
    fingerprints.set(release.bom, fingerprint);
  }
  return behaviourLook(fingerprints, { signal, headers, ...(model === undefined ? {} : { model }) });
}

const isDay = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(text) &&
  !Number.isNaN(Date.parse(text)) &&
  new Date(text).toISOString().startsWith(text);

export interface TargetSource {
  readonly client: RoundOptions['client'];
  /** null: there is no way to act on a list of addresses. */
  readonly rotation: RoundOptions['rotation'];
  targets(): Promise<readonly Target[]>;
  close(): Promise<void>;
}

export async function sourceOf(flags: DriftFlags, signal: AbortSignal): Promise<TargetSource> {
  const { targets, kubernetes } = flags;
  if ((targets === undefined) === (kubernetes === undefined)) {
    throw usage('say where to look: one of --targets and --kubernetes');
  }
  const client = clientOf(signal);
  if (kubernetes !== undefined) return podSource(flags, kubernetes, signal, client);
  if (flags.act) throw usage('--act needs --kubernetes: an address cannot be taken out of rotation');
  const read = (): readonly Target[] =>
    readTargets(readInput(targets!, 'list of targets').toString('utf8'), targets!, flags.insecure ?? false);
  read(); // wrong from the start is said at the start
  return { client, rotation: null, targets: async () => read(), close: () => client.close() };
}

async function podSource(
  { kubeconfig: file, container, port, scheme }: DriftFlags,
  where: string,
  signal: AbortSignal,
  client: RoundOptions['client'],
): Promise<TargetSource> {
  const [, namespace, selector] = /^([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\/(.{1,500})$/.exec(where) ?? [];
  if (namespace === undefined) throw usage(`--kubernetes must be NAMESPACE/SELECTOR: ${where}`);
  const cluster = file === undefined ? await serviceAccount(process.env) : await kubeconfig(file);
  const api = clientOf(signal, cluster.tls);
  const pods = podsOf(
    cluster,
    api,
    { namespace, selector: selector! },
    {
      scheme,
      ...(container === undefined ? {} : { container }),
      ...(port === undefined ? {} : { port }),
    },
  );
  return {
    client,
    rotation: pods.rotation,
    targets: pods.targets,
    close: async () => {
      await Promise.all([client.close(), api.close()]);
    },
  };
}
