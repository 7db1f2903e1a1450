// A layout of one step that makes the serving files, and its link.
import { writeLayout, writeLink } from '../../../src/gate/layout/layout-writing.ts';
import type { Pair } from '../../kit/specimen/forgery.ts';

export function layoutFiles(
  owner: Pair,
  functionary: Pair,
  products: Record<string, string>,
): [string, Buffer][] {
  const layout = writeLayout(
    {
      expires: '2027-06-01T00:00:00Z',
      steps: [
        {
          name: 'configure',
          functionaries: [functionary.publicKey],
          threshold: 1,
          command: [],
          materials: [['DISALLOW', '*']],
          products: [...Object.keys(products).map((path) => ['CREATE', path]), ['DISALLOW', '*']],
        },
      ],
    },
    owner.privateKey,
  );
  const link = writeLink({ name: 'configure', materials: {}, products, command: [] }, functionary.privateKey);
  return [
    ['evidence/layout/root.layout', Buffer.from(layout)],
    [`evidence/layout/${link.file}`, Buffer.from(link.text)],
  ];
}
