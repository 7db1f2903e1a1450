// Layouts and links that in-toto reads: always DSSE, always by one key. Nothing is run: a link records what is there, and the caller answers
// for what happened in between.
import { KeyObject } from 'node:crypto';
import { encode, IN_TOTO } from '../../proof/sign/bundle/envelope.ts';
import { type RemoteKey, signedBy } from '../../proof/sign/sealing.ts';
import { publicOf, signBytes } from '../../proof/sign/signer/key.ts';
import { layoutKey } from './functionary.ts';

interface LinkText {
  readonly name: string;
  /** 64 hex digits by name. */
  readonly materials: Readonly<Record<string, string>>;
  readonly products: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

interface StepText {
  readonly name: string;
  readonly functionaries: readonly KeyObject[];
  readonly threshold: number;
  readonly command: readonly string[];
  readonly materials: readonly (readonly string[])[];
  readonly products: readonly (readonly string[])[];
}

export interface LayoutText {
  readonly expires: string;
  readonly steps: readonly StepText[];
  readonly readme?: string;
}

type LayoutKey = KeyObject | RemoteKey;
/** With a key in memory now, with one that is elsewhere later. */
type Written<Key extends LayoutKey> = Key extends KeyObject ? string : Promise<string>;

const publicPart = (key: LayoutKey): KeyObject => (key instanceof KeyObject ? publicOf(key) : key.publicKey);

/** The name that in-toto looks for, and the text. */
export function writeLink<Key extends LayoutKey>({ name, materials, products, command }: LinkText, key: Key) {
  const hashes = (files: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(files).map(([path, sha256]) => [path, { sha256 }]));
  const { keyid } = layoutKey(publicPart(key));
  const link = {
    _type: 'link',
    name,
    command,
    materials: hashes(materials),
    products: hashes(products),
    byproducts: {},
    environment: {},
  };
  return { file: `${name}.${keyid.slice(0, 8)}.link`, text: enveloped(link, key) };
}

export function writeLayout<Key extends LayoutKey>(
  { expires, steps, readme = '' }: LayoutText,
  key: Key,
): Written<Key> {
  const keys = new Map(
    steps.flatMap(({ functionaries }) =>
      functionaries.map((one) => [layoutKey(one).keyid, layoutKey(one).entry]),
    ),
  );
  const layout = {
    _type: 'layout',
    expires,
    readme,
    keys: Object.fromEntries(keys),
    steps: steps.map(({ name, functionaries, threshold, command, materials, products }) => ({
      _type: 'step',
      name,
      pubkeys: functionaries.map((one) => layoutKey(one).keyid),
      threshold,
      expected_command: command,
      expected_materials: materials,
      expected_products: products,
    })),
    inspect: [],
  };
  return enveloped(layout, key);
}

function enveloped<Key extends LayoutKey>(signed: object, key: Key): Written<Key> {
  const payload = Buffer.from(JSON.stringify(signed));
  const { keyid } = layoutKey(publicPart(key));
  const text = (signature: Buffer): string => {
    const signatures = [{ keyid, sig: signature.toString('base64') }];
    return `${JSON.stringify({ payload: payload.toString('base64'), payloadType: IN_TOTO, signatures })}\n`;
  };
  const bytes = encode(IN_TOTO, payload);
  const written = key instanceof KeyObject ? text(signBytes(key, bytes)) : signedBy(key, bytes).then(text);
  return written as Written<Key>;
}
