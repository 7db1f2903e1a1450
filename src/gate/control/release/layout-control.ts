// The control `layout`: the serving files of the release are the products of an in-toto layout that a listed owner signed.
import { readPublicKey } from '../../../proof/sign/signer/key.ts';
import type { LayoutPiece } from '../../claim/piece.ts';
import { place } from '../../claim/piece.ts';
import { verifyLayout } from '../../layout/layout.ts';
import type { ControlOf } from '../../release-policy/schema.ts';
import { type Denial, settled } from '../../verdict/denial.ts';
import type { CountedEvidence } from '../../verdict/verdict.ts';
import type { Context, ControlResult } from '../context.ts';

type Control = ControlOf<'layout'>;

export function layout(control: Control, context: Context): ControlResult {
  const pieces = context.pieces.filter(
    (piece): piece is LayoutPiece => piece.form === 'layout' || piece.form === 'link',
  );
  // A layout that is filed as a link is a sublayout.
  const layouts = pieces.filter(({ form, source }) => form === 'layout' && !source.file.endsWith('.link'));
  const [first, ...more] = layouts;
  const none = (denial: Denial): ControlResult => ({
    evidence: [],
    denials: [denial],
    unused: [],
    limits: [],
  });
  if (first === undefined)
    return none({ code: 'NO_EVIDENCE', message: 'there is no layout among the evidence' });
  // Which of two would hold?
  if (more.length > 0)
    return none({ code: 'MALFORMED_LAYOUT', message: 'there is more than one layout among the evidence' });
  const links = pieces
    .filter((piece) => piece !== first)
    .map(({ source, bytes }) => ({ path: source.file, bytes }));
  const proof = settled(() =>
    verifyLayout({
      layout: first.bytes,
      links,
      owners: ownersOf(control, context),
      now: context.now,
      files: filesOf(control, context),
      exactCommands: control.commands === 'exact',
    }),
  );
  if (proof.denials !== undefined) {
    const denials = proof.denials.map((one): Denial => ({ file: place(first.source), ...one }));
    return { evidence: [], denials, unused: [], limits: [] };
  }
  const { owner, ownerKey, expires, functionaries, used, notes } = proof.value;
  const linkOf = new Map(used.map(({ path, by }) => [path, by]));
  return {
    evidence: [
      evidence(first, owner, ownerKey),
      ...pieces.flatMap((piece) => {
        const by = linkOf.get(piece.source.file);
        return by === undefined ? [] : [evidence(piece, 'a functionary of the layout', by)];
      }),
    ],
    notes,
    denials: [],
    unused: [],
    limits: [expires],
    producers: functionaries,
  };
}

function ownersOf({ owner }: Control, { policy }: Context) {
  return policy.identities.flatMap(({ name, trust }) =>
    owner.includes(name) && trust.method === 'key' ? [{ name, key: readPublicKey(trust.publicKey) }] : [],
  );
}

function filesOf({ files }: Control, { mbom }: Context) {
  const listed = new Map([...mbom.files, ...(mbom.config ?? [])].map(({ path, sha256 }) => [path, sha256]));
  return Object.entries(files).map(([path, step]) => ({ path, step, sha256: listed.get(path) ?? null }));
}

const evidence = ({ form, source }: LayoutPiece, by: string, fingerprint: string): CountedEvidence => ({
  ...source,
  kind: form,
  by,
  signer: { method: 'key', fingerprint },
  time: null,
  database: null,
});
