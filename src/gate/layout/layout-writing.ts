// Layouts and links that in-toto reads: always DSSE, always by one key. Nothing is run: a link records what is there, and the caller answers
// for what happened in between.
import type { KeyObject } from 'node:crypto';
import { encode, IN_TOTO } from '../../proof/sign/bundle/envelope.ts';
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

/** The name that in-toto looks for, and the text. */
export function writeLink({ name, materials, products, command }: LinkText, key: KeyObject) {
  const hashes = (files: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(files).map(([path, sha256]) => [path, { sha256 }]));
  const { keyid } = layoutKey(publicOf(key));
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

export function writeLayout({ expires, steps, readme = '' }: LayoutText, key: KeyObject): string {
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

function enveloped(signed: object, key: KeyObject): string {
  const payload = Buffer.from(JSON.stringify(signed));
  const { keyid } = layoutKey(publicOf(key));
  const sig = signBytes(key, encode(IN_TOTO, payload)).toString('base64');
  const envelope = {
    payload: payload.toString('base64'),
    payloadType: IN_TOTO,
    signatures: [{ keyid, sig }],
  };
  return `${JSON.stringify(envelope)}\n`;
}
