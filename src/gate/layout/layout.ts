// An in-toto layout and its links, verified as the specification says, and stricter where in-toto 3.1.0 lets something pass: nothing
// is ever run, a link must be of the step it is filed under, all authorised links of a step must agree, and the files of the
// release are held against the products.
import type { KeyObject } from 'node:crypto';
import { type Foreign, instant } from '../claim/foreign.ts';
import { deny } from '../verdict/denial.ts';
import { applyRules, isClosed, type Link, type Rule, readRule } from './artifact-rule.ts';
import { functionaryOf, hasSigned, keyIdOf, readFunctionary } from './functionary.ts';
import { type FiledLink, linksOf } from './link.ts';
import { type Metadata, readMetadata } from './metadata.ts';

interface LayoutFile {
  readonly path: string;
  /** The step whose product it must be. */
  readonly step: string;
  /** 64 hex digits; null: the release has no such file. */
  readonly sha256: string | null;
}

interface LayoutQuestion {
  readonly layout: Buffer;
  readonly links: readonly FiledLink[];
  /** Public keys of whoever may own a layout. */
  readonly owners: readonly { readonly name: string; readonly key: KeyObject }[];
  readonly now: number;
  readonly files: readonly LayoutFile[];
  /** Refuse a command that differs from the expected one; else it is told. */
  readonly exactCommands: boolean;
}

interface LayoutProof {
  readonly owner: string;
  /** `sha256:…` of the owner's key. */
  readonly ownerKey: string;
  /** Milliseconds. */
  readonly expires: number;
  /** `sha256:…` of the keys that signed links. */
  readonly functionaries: readonly string[];
  /** The links that were used, and the key that signed each. */
  readonly used: readonly { readonly path: string; readonly by: string }[];
  /** What differs and is not refused. */
  readonly notes: readonly string[];
}

interface Step {
  readonly name: string;
  readonly materials: readonly Rule[];
  readonly products: readonly Rule[];
  readonly keyids: readonly string[];
  readonly threshold: number;
  readonly command: readonly string[];
}

/** Refuses with the codes of layouts. */
export function verifyLayout(question: LayoutQuestion): LayoutProof {
  const metadata = readMetadata(question.layout);
  if (metadata.type !== 'layout') deny('MALFORMED_LAYOUT', 'a link stands where the layout must be');
  const owner = ownerOf(metadata, question.owners);
  const { signed } = metadata;
  const expires = expiryOf(signed, question.now);
  const keys = new Map(
    signed
      .get('keys')
      .entries()
      .map(([id, entry]) => [id, readFunctionary(entry)]),
  );
  const steps = stepsOf(signed);
  const signedLinks = steps.map((step) => ({ step, ...linksOf(step, question.links, keys) }));
  const chain = new Map(signedLinks.map(({ step, link }) => [step.name, link]));
  for (const { step, link } of signedLinks) checkStep(step, link, chain);
  for (const file of question.files) checkFile(file, chain);
  return {
    owner: owner.name,
    ownerKey: owner.fingerprint,
    expires,
    functionaries: [...new Set(signedLinks.flatMap(({ functionaries }) => functionaries))],
    used: signedLinks.flatMap(({ used }) => used),
    notes: signedLinks.flatMap(({ step, link }) => commandNotes(step, link, question.exactCommands)),
  };
}

function ownerOf({ bytes, signatures }: Metadata, owners: LayoutQuestion['owners']) {
  if (signatures.length === 0) return deny('UNSIGNED', 'the layout has no signature');
  for (const { name, key } of owners) {
    const functionary = functionaryOf(key);
    if (signatures.some(({ signature }) => hasSigned(functionary, bytes, signature)))
      return { name, fingerprint: functionary.fingerprint };
  }
  const ids = owners.map(({ key }) => ownKeyId(key));
  const claimed = signatures.some(({ keyid }) => ids.includes(keyid));
  if (claimed) return deny('BAD_SIGNATURE', 'the layout was changed after its owner signed it');
  return deny('WRONG_KEY', 'no owner that is listed signed the layout', {
    expected: owners.map(({ name }) => name).join(', '),
  });
}

function ownKeyId(key: KeyObject): string {
  const names = new Map([
    ['prime256v1', 'ecdsa-sha2-nistp256'],
    ['secp384r1', 'ecdsa-sha2-nistp384'],
    ['secp521r1', 'ecdsa-sha2-nistp521'],
  ]);
  const scheme = names.get(key.asymmetricKeyDetails?.namedCurve ?? '') ?? '';
  return keyIdOf('ecdsa', scheme, key.export({ type: 'spki', format: 'pem' }).toString());
}

function expiryOf(signed: Foreign, now: number): number {
  const expires = signed.get('expires');
  const time = instant(expires.text());
  if (Number.isNaN(time)) expires.wrong('must be a time as in RFC 3339');
  if (time <= now) deny('LAYOUT_EXPIRED', 'the layout has expired', { actual: expires.text() });
  return time;
}

const FIELDS = ['_type', 'expires', 'readme', 'keys', 'steps', 'inspect'];
const CERTIFICATES = ['rootcas', 'intermediatecas'];
const MAX_STEPS = 100;

function stepsOf(signed: Foreign): Step[] {
  for (const name of CERTIFICATES) {
    const field = signed.get(name);
    if (!field.absent && (!field.isObject || field.entries().length > 0))
      deny('UNSUPPORTED_LAYOUT', 'the layout takes functionaries by certificates, which are not read');
  }
  signed.only(...FIELDS, ...CERTIFICATES);
  if (signed.get('inspect').maybeList().length > 0)
    deny('UNSUPPORTED_LAYOUT', 'the layout has inspections: they are commands, and nothing is run here');
  const steps = signed.get('steps').list().map(stepOf);
  if (steps.length === 0 || steps.length > MAX_STEPS)
    signed.get('steps').wrong(`must be at least one, and at most ${MAX_STEPS}`);
  const names = new Set(steps.map(({ name }) => name));
  if (names.size !== steps.length) signed.get('steps').wrong('must have a name each');
  return steps;
}

function stepOf(step: Foreign): Step {
  const constraints = step.get('cert_constraints');
  if (!constraints.absent && constraints.list().length > 0)
    deny('UNSUPPORTED_LAYOUT', `${step.path} takes functionaries by certificates, which are not read`);
  step.only(
    ...['_type', 'name', 'expected_materials', 'expected_products', 'pubkeys', 'expected_command'],
    ...['threshold', 'cert_constraints'],
  );
  if (step.get('_type').text() !== 'step') step.get('_type').wrong('must be step');
  const threshold = step.get('threshold').number();
  if (!Number.isSafeInteger(threshold) || threshold < 1) step.get('threshold').wrong('must be at least 1');
  const rules = (name: string): Rule[] => step.get(name).maybeList().map(readRule);
  return {
    name: step.get('name').text(),
    materials: rules('expected_materials'),
    products: rules('expected_products'),
    keyids: step
      .get('pubkeys')
      .list()
      .map((one) => one.text()),
    threshold,
    command: step
      .get('expected_command')
      .maybeList()
      .map((one) => one.text()),
  };
}

function checkStep(step: Step, link: Link, chain: ReadonlyMap<string, Link>): void {
  for (const which of ['materials', 'products'] as const) {
    // A list of rules over nothing needs no end.
    if (!isClosed(step[which]) && (link[which].size > 0 || step[which].length > 0))
      deny('UNBOUNDED_LAYOUT', `the rules for the ${which} of step ${step.name} do not end with DISALLOW *`);
    for (const rule of step[which])
      if (rule.kind === 'MATCH' && !chain.has(rule.from))
        deny(
          'MALFORMED_LAYOUT',
          `a rule of step ${step.name} names the step ${rule.from}, which is not there`,
        );
    applyRules(step[which], which, link, chain);
  }
}

function checkFile({ path, step, sha256 }: LayoutFile, chain: ReadonlyMap<string, Link>): void {
  const product = chain.get(step)?.products.get(path);
  const mismatch = (message: string, place = {}): never =>
    deny('STEP_MISMATCH', message, { file: path, ...place });
  if (product === undefined) mismatch(`step ${step} did not make the file`);
  if (sha256 === null) mismatch('the release does not list the file, and the layout vouches for it');
  if (product === sha256) return;
  mismatch(`the file is not the one that step ${step} made`, {
    expected: `sha256:${product}`,
    actual: `sha256:${sha256}`,
  });
}

function commandNotes({ name, command }: Step, link: Link, exact: boolean): string[] {
  const same = command.length === link.command.length && command.every((word, i) => word === link.command[i]);
  if (same || command.length === 0) return [];
  const note = `step ${name} ran another command than the layout expects`;
  if (exact) deny('STEP_MISMATCH', note, { expected: command.join(' '), actual: link.command.join(' ') });
  return [note];
}
