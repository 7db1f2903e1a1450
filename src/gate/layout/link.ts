// The links of one step: which are by a functionary of the step, and do they agree. A functionary is a key, not a key id: one key under
// two ids is one person.
import type { Foreign } from '../claim/foreign.ts';
import { type Denial, Denied, deny, settled } from '../verdict/denial.ts';
import type { Artifacts, Link } from './artifact-rule.ts';
import { type Functionary, hasSigned } from './functionary.ts';
import { type Metadata, readMetadata } from './metadata.ts';

/** A link as it is filed: `configure.4ccb5eaf.link` says of which step it is, and the link must say the same. */
export interface FiledLink {
  readonly path: string;
  readonly bytes: Buffer;
}

interface StepLinks {
  /** What all links of the step agree on. */
  readonly link: Link;
  readonly functionaries: readonly string[];
  readonly used: readonly { readonly path: string; readonly by: string }[];
}

interface Wanted {
  readonly name: string;
  readonly keyids: readonly string[];
  readonly threshold: number;
}

/** Refuses: STEP_MISMATCH, BELOW_THRESHOLD, and what is wrong with the signatures of the links that are there. */
export function linksOf(
  step: Wanted,
  filed: readonly FiledLink[],
  keys: ReadonlyMap<string, Functionary>,
): StepLinks {
  const counted: { readonly path: string; readonly link: Link; readonly by: string }[] = [];
  const problems: Denial[] = [];
  for (const { path, bytes } of filed.filter((one) => stepOfName(one.path) === step.name)) {
    const tried = settled(() => functionariesOf(readMetadata(bytes), step, keys));
    if (tried.denials !== undefined) problems.push(...tried.denials.map((one) => ({ ...one, file: path })));
    else for (const by of tried.value.by) counted.push({ path, link: tried.value.link, by });
  }
  const hard = problems.filter(({ code }) => code !== 'BELOW_THRESHOLD');
  const persons = new Set(counted.map(({ by }) => by));
  if (persons.size < step.threshold || hard.some(({ code }) => code === 'STEP_MISMATCH')) {
    const message = `step ${step.name} needs ${step.threshold} functionaries, ${persons.size} signed a link of it`;
    const [first, ...more] = [...hard, { code: 'BELOW_THRESHOLD', message } as const];
    throw new Denied([first!, ...more]);
  }
  assertAgreed(step.name, counted);
  return {
    link: counted[0]!.link,
    functionaries: [...persons],
    used: counted.map(({ path, by }) => ({ path, by })),
  };
}

/** `configure.4ccb5eaf.link` → configure. */
function stepOfName(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.replace(/(\.[0-9a-f]{8})?(\.dsse)?\.link$/, '');
}

function functionariesOf(
  metadata: Metadata,
  { name, keyids }: Wanted,
  keys: ReadonlyMap<string, Functionary>,
): { readonly link: Link; readonly by: readonly string[] } {
  if (metadata.type === 'layout')
    deny('UNSUPPORTED_LAYOUT', `step ${name} has a layout in place of a link, which is not read`);
  if (metadata.signatures.length === 0) deny('UNSIGNED', 'the link has no signature');
  const authorised = metadata.signatures.filter(({ keyid }) => keyids.includes(keyid) && keys.has(keyid));
  if (authorised.length === 0) deny('BELOW_THRESHOLD', 'the link is by no functionary of the step');
  const by = authorised.map(({ keyid, signature }) => {
    const functionary = keys.get(keyid)!;
    if (hasSigned(functionary, metadata.bytes, signature)) return functionary.fingerprint;
    return deny('BAD_SIGNATURE', 'the link was changed after it was signed');
  });
  // Only now: what it says is signed by a functionary, whose word is of the step that they say.
  const link = linkOf(metadata.signed);
  if (link.name !== name)
    deny('STEP_MISMATCH', 'the link is of another step than the one it is filed under', {
      expected: name,
      actual: link.name,
    });
  return { link, by };
}

function linkOf(signed: Foreign): Link {
  signed.only('_type', 'name', 'command', 'materials', 'products', 'byproducts', 'environment');
  return {
    name: signed.get('name').text(),
    materials: artifactsOf(signed.get('materials')),
    products: artifactsOf(signed.get('products')),
    command: signed
      .get('command')
      .maybeList()
      .map((one) => one.text()),
  };
}

const artifactsOf = (field: Foreign): Artifacts =>
  new Map(field.absent ? [] : field.entries().map(([name, hashes]) => [name, hashes.get('sha256').hex()]));

/** With a threshold of 1, in-toto takes one of two links that contradict each other. */
function assertAgreed(
  step: string,
  counted: readonly { readonly path: string; readonly link: Link }[],
): void {
  const told = ({ materials, products }: Link): string =>
    JSON.stringify([materials, products].map((artifacts) => [...artifacts].sort()));
  const [first, ...others] = counted;
  const other = others.find(({ link }) => told(link) !== told(first!.link));
  if (other === undefined) return;
  deny('STEP_MISMATCH', `the functionaries of step ${step} disagree on what it took or made`, {
    file: other.path,
  });
}
