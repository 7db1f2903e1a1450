// A verdict that was written before, to be judged again. It is no proof: what it says is only which release, and in whose place.
import { SteelyardError } from '../../rules/error.ts';
import { readForeign } from '../claim/foreign.ts';
import { settled } from './denial.ts';

/** @throws SteelyardError INVALID_DOCUMENT: no verdict; USAGE: one that promoted nothing. */
export function readPromotion(
  bytes: Buffer,
  name: string,
): { readonly release: string; readonly current: string | null } {
  const read = settled(() => {
    const document = readForeign(bytes);
    const schema = document.get('schema');
    if (schema.text() !== 'steelyard/verdict/1') schema.wrong('must be steelyard/verdict/1');
    const current = document.get('current');
    return {
      outcome: document.get('outcome').text(),
      release: document.get('release').get('digest').digest(),
      current: current.absent ? null : current.digest(),
    };
  });
  if (read.denials !== undefined)
    throw new SteelyardError('INVALID_DOCUMENT', `${name}: ${read.denials[0].message}`, { file: name });
  if (read.value.outcome !== 'promote')
    throw new SteelyardError('USAGE', `${name} is a verdict that promoted nothing`, { file: name });
  return read.value;
}
