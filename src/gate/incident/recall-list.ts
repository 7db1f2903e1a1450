// A recall is a line that is added to a list, and after it a heartbeat over all of the list: whoever cuts the list, or gives an old one, is
// seen.
import { then } from '../../proof/sign/sealing.ts';
import { type AnyKey, type Signed, signStatement } from '../../proof/sign/sign.ts';
import { writeStatement } from '../../proof/sign/statement/statement.ts';
import { SteelyardError } from '../../rules/error.ts';
import {
  heartbeatPredicate,
  RECALL,
  type RecallText,
  recallPredicate,
} from '../approval/approval-documents.ts';
import { readForeign } from '../claim/foreign.ts';
import { digestOf, linesOf } from '../claim/piece.ts';
import { settled } from '../verdict/denial.ts';

const hexOf = (digest: string): string => digest.slice('sha256:'.length);

/**
 * The list with a recall more, or with a heartbeat alone.
 *
 * @param list as it is now; empty for a new one.
 * @throws SteelyardError INVALID_DOCUMENT: the list was cut; USAGE: the key cannot be used.
 */
export function recallListWith<Key extends AnyKey>(
  list: Buffer,
  recall: (RecallText & { readonly digests: readonly string[] }) | null,
  now: Date,
  key: Key,
): Signed<Key, Buffer> {
  assertWhole(list);
  const ended = list.length === 0 || list.at(-1) === 0x0a ? list : Buffer.concat([list, Buffer.from('\n')]);
  if (recall === null) return withHeartbeat(ended, now, key);
  // The heartbeat is over the recall, which is signed first.
  return then(recallLine(recall, key), (line: string) =>
    withHeartbeat(Buffer.concat([ended, Buffer.from(line)]), now, key),
  ) as Signed<Key, Buffer>;
}

function withHeartbeat<Key extends AnyKey>(above: Buffer, now: Date, key: Key): Signed<Key, Buffer> {
  const subject = [{ name: 'the lines above', digest: { sha256: hexOf(digestOf(above)) } }];
  const sequence = linesOf(above).length;
  const beat = signStatement(
    writeStatement(subject, RECALL, heartbeatPredicate(sequence, now.getTime())),
    key,
  );
  return then(beat, (text: string) => Buffer.concat([above, Buffer.from(text)]));
}

function recallLine<Key extends AnyKey>(
  { digests, ...text }: RecallText & { readonly digests: readonly string[] },
  key: Key,
): Signed<Key, string> {
  // A statement needs a subject: a recall of packages alone is about their names.
  const named = digests.length > 0 ? digests : (text.packages ?? []).map((one) => digestOf(Buffer.from(one)));
  const subject = named.map((digest) => ({ name: 'recalled', digest: { sha256: hexOf(digest) } }));
  return signStatement(writeStatement(subject, RECALL, recallPredicate(text)), key);
}

/** Adding to a list that was cut would make it whole again, without what was cut off. */
function assertWhole(list: Buffer): void {
  const last = linesOf(list).at(-1);
  if (last === undefined) return;
  const above = list.subarray(0, last.bytes.byteOffset - list.byteOffset);
  const subject = settled(() => {
    const payload = readForeign(last.bytes).get('dsseEnvelope').get('payload').text();
    const statement = readForeign(Buffer.from(payload, 'base64'));
    const isBeat = !statement.get('predicate').get('list').absent;
    return isBeat ? statement.get('subject').list()[0]?.get('digest').get('sha256').hex() : undefined;
  }).value;
  if (subject !== undefined && `sha256:${subject}` === digestOf(above)) return;
  throw new SteelyardError(
    'INVALID_DOCUMENT',
    'the list of recalls does not end with a heartbeat over all of it: it was cut',
  );
}
