// The gate policy, read: what a release must show, and who may say so. It comes from the verifier's side, never from the
// release's folder.

import { readYaml } from '../../document/yaml.ts';
import { SteelyardError } from '../../rules/error.ts';
import { holderOf, type Identity } from '../claim/identity.ts';
import { digestOf } from '../claim/piece.ts';
import { type Control, type GateJson, GateSchema, hoursOf } from './schema.ts';

export interface GatePolicy {
  readonly json: GateJson;
  /** As messages and approvals call it. */
  readonly file: string;
  /** `sha256:…` over its bytes: what an approval was given under. */
  readonly digest: string;
  readonly identities: readonly Identity[];
  /** The person that an identity is one of; most are of none. */
  readonly personOf: ReadonlyMap<string, string>;
}

/** Milliseconds of a duration that the schema accepted. */
export const milliseconds = (duration: string): number => hoursOf(duration) * 3_600_000;

/** The same of any text; null: it is no duration, or one of more than 366 days. */
export const durationOf = (text: string): number | null =>
  /^[1-9]\d{0,3}[hd]$/.test(text) && hoursOf(text) <= 366 * 24 ? milliseconds(text) : null;

/** Sizes and counts as in every document of ours. */
const MAX = 4 * 2 ** 20;

/**
 * Reads a gate policy.
 *
 * @param load the bytes of a key or certificate, by the path that stands in the policy.
 * @throws SteelyardError INVALID_POLICY with line and column; USAGE: a key cannot be read; what `load` throws.
 */
export function readGatePolicy(bytes: Uint8Array, file: string, load: (path: string) => Buffer): GatePolicy {
  const failure = (place: string | null, reason: string, cause?: unknown): SteelyardError => {
    const where = place === null ? file : `${file}:${place}`;
    return new SteelyardError('INVALID_POLICY', `${where}: ${reason.split('\n')[0]!.slice(0, 300)}`, {
      cause,
    });
  };
  const source = readYaml(bytes, { size: MAX, scalars: 'typed', failure });
  const result = GateSchema.safeParse(source.data);
  if (!result.success) {
    const [issue] = result.error.issues;
    const path = issue!.path.join('.');
    throw failure(source.placeOf(issue!.path), `${path === '' ? '' : `${path}: `}${issue!.message}`);
  }
  const json = result.data as unknown as GateJson;
  const wrong = (path: readonly PropertyKey[], reason: string): never => {
    throw failure(source.placeOf(path), reason);
  };
  checkNames(json, wrong);
  checkControls(json, wrong);
  const identities = Object.entries(json.identities).map(([name, how]) => identityOf(name, how, load));
  assertDistinct(identities, wrong);
  return { json, file, digest: digestOf(bytes), identities, personOf: personsOf(json, wrong) };
}

type Wrong = (path: readonly PropertyKey[], reason: string) => never;

function identityOf(
  name: string,
  how: GateJson['identities'][string],
  load: (path: string) => Buffer,
): Identity {
  if ('key' in how) return { name, trust: { method: 'key', publicKey: load(how.key) }, subject: null };
  if ('certificateChain' in how) {
    const trust = { method: 'certificate', certificateChain: load(how.certificateChain) } as const;
    return { name, trust, subject: how.subject };
  }
  const { identity, issuer } = how;
  return {
    name,
    trust: { method: 'identity', trustedRoot: load(how.trustedRoot), identity, issuer },
    subject: null,
  };
}

/** One key under two names would be two signers. */
function assertDistinct(identities: readonly Identity[], wrong: Wrong): void {
  const holders = new Map<string, string>();
  for (const identity of identities) {
    const holder = holderOf(identity);
    const other = holders.get(holder);
    if (other !== undefined)
      wrong(['identities', identity.name], `${identity.name} and ${other} are one and the same signer`);
    holders.set(holder, identity.name);
  }
}

function personsOf(json: GateJson, wrong: Wrong): ReadonlyMap<string, string> {
  const persons = new Map<string, string>();
  for (const [person, identities] of Object.entries(json.people)) {
    for (const identity of identities) {
      const other = persons.get(identity);
      if (other !== undefined) wrong(['people', person], `${identity} already is ${other}`);
      persons.set(identity, person);
    }
  }
  return persons;
}

/** Every name that is used is one that was declared. */
function checkNames(json: GateJson, wrong: Wrong): void {
  const known = (path: readonly PropertyKey[], names: readonly string[]): void => {
    for (const name of names)
      if (!Object.hasOwn(json.identities, name)) wrong(path, `there is no identity called ${name}`);
  };
  known(['release', 'mbom', 'signedBy'], json.release.mbom.signedBy);
  known(['release', 'model', 'signedBy'], json.release.model.signedBy);
  if ('signedBy' in json.release.scan) known(['release', 'scan', 'signedBy'], json.release.scan.signedBy);
  if (json.image !== 'none') known(['image', 'signedBy'], json.image.signedBy);
  known(['recalls', 'signedBy'], json.recalls.signedBy);
  if (json.exceptions.vex !== undefined)
    known(['exceptions', 'vex', 'signedBy'], json.exceptions.vex.signedBy);
  for (const [person, names] of Object.entries(json.people)) known(['people', person], names);
  for (const [index, control] of json.controls.entries()) known(['controls', index], signersOf(control));
  const { of, need } = json.approvals;
  for (const person of of)
    if (!Object.hasOwn(json.people, person))
      wrong(['approvals', 'of'], `there is no person called ${person}`);
  if (new Set(of).size !== of.length) wrong(['approvals', 'of'], 'a person stands there twice');
  if (need > of.length) wrong(['approvals', 'need'], `${need} of ${of.length} persons can never approve`);
}

/** Whose word a control takes. */
export function signersOf(control: Control): readonly string[] {
  if (control.kind === 'layout') return control.owner;
  if (control.kind === 'build') return control.builders.flatMap(({ signedBy }) => signedBy);
  return control.signedBy;
}

function checkControls({ controls, image }: GateJson, wrong: Wrong): void {
  const ids = new Set<string>(RESERVED);
  const hasSbom = controls.some(({ kind }) => kind === 'sbom');
  for (const [index, control] of controls.entries()) {
    const at = ['controls', index];
    if (ids.has(control.id)) wrong(at, `the id ${control.id} is taken`);
    ids.add(control.id);
    if (image === 'none' && 'subject' in control && control.subject === 'image')
      wrong(at, 'the control is about an image, and the policy says image: none');
    if (control.kind === 'vulnerabilities') {
      if (control.formats.includes('vulns/v0.2') && control.method === undefined)
        wrong(at, 'vulns/v0.2 scores by any method: say which one counts (method)');
      if (control.expect.length > 0 && !hasSbom) wrong(at, 'expect needs a control of the kind sbom');
    }
    if (control.kind === 'layout' && Object.keys(control.files).length === 0)
      wrong(at, 'files: name at least one file and the step that makes it');
  }
}

/** What verdicts call the parts of a gate that are not in `controls`. */
const RESERVED = ['policy', 'mbom', 'model', 'scan', 'image', 'approvals', 'recalls', 'exceptions'];
