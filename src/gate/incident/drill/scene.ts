// The scene of a drill, and small changes to it. Every change makes a new one.
import { generateKeyPairSync } from 'node:crypto';
import { signStatement } from '../../../proof/sign/sign.ts';
import { writeStatement } from '../../../proof/sign/statement/statement.ts';
import { digestOf } from '../../claim/piece.ts';
import type { ReleaseBytes } from '../../input/release-bytes.ts';
import type { GatePolicy } from '../../release-policy/release-policy.ts';
import type { GateCode } from '../../verdict/denial.ts';

/** What is judged: everything that a drill may change. */
export interface Scene {
  readonly release: ReleaseBytes;
  readonly policy: GatePolicy;
  /** Milliseconds. */
  readonly now: number;
  readonly current: string | null | undefined;
}

export interface Drill {
  readonly name: string;
  /** One of these must refuse it. */
  readonly codes: readonly GateCode[];
  readonly change: (scene: Scene) => Scene;
}

/** Made for this process, and forgotten with it. */
const PAIR = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
export const THROW_AWAY = { privateKey: PAIR.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
const PUBLIC = Buffer.from(PAIR.publicKey.export({ type: 'spki', format: 'pem' }).toString());
const STRANGER = 'drill';

export const changed = (scene: Scene, release: Partial<ReleaseBytes>): Scene => ({
  ...scene,
  release: { ...scene.release, ...release },
});

/** Without the files that are named. */
export const without = (scene: Scene, paths: readonly string[]): Scene =>
  changed(scene, { evidence: scene.release.evidence.filter(({ path }) => !paths.includes(path)) });

export const withFile = (scene: Scene, path: string, bytes: Buffer): Scene =>
  changed(without(scene, [path]), {
    evidence: [...without(scene, [path]).release.evidence, { path, bytes, digest: digestOf(bytes) }],
  });

export const fileOf = ({ release }: Scene, path: string): Buffer =>
  release.evidence.find((one) => one.path === path)?.bytes ?? Buffer.alloc(0);

/** One bit in the middle: where a signature covers it, it does not hold any more. */
export function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const middle = copy.length >> 1;
  copy[middle] = copy[middle]! ^ 1;
  return copy;
}

/** The throw-away key, trusted wherever this identity is: what would its report do? */
export function trusting(scene: Scene, names: readonly string[]): Scene {
  const { policy } = scene;
  const replaced = (list: readonly string[]): string[] => [
    ...list,
    ...(names.some((one) => list.includes(one)) ? [STRANGER] : []),
  ];
  const walk = (value: unknown, key = ''): unknown => {
    if (Array.isArray(value))
      return ['signedBy', 'owner'].includes(key)
        ? replaced(value as string[])
        : value.map((one) => walk(one));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, walk(one, name)]));
  };
  const stranger = { name: STRANGER, trust: { method: 'key', publicKey: PUBLIC }, subject: null } as const;
  return {
    ...scene,
    policy: {
      ...policy,
      json: walk(policy.json) as GatePolicy['json'],
      identities: [...policy.identities, stranger],
    },
  };
}

/** The same key as a person who may approve. */
export function asPerson(scene: Scene, person: string): Scene {
  const trusted = trusting(scene, []);
  const personOf = new Map([...trusted.policy.personOf, [STRANGER, person]]);
  return { ...trusted, policy: { ...trusted.policy, personOf } };
}

/** A statement by the throw-away key, on one line. */
export const stated = (digest: string, type: string, predicate: object): Buffer =>
  Buffer.from(
    signStatement(
      writeStatement(
        [{ name: 'drill', digest: { sha256: digest.slice('sha256:'.length) } }],
        type,
        predicate,
      ),
      THROW_AWAY,
    ),
  );
