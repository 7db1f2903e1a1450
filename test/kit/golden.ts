// What a person is told by refusals, kept word for word: `STEELYARD_UPDATE_GOLDEN=1` writes it anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Outcome } from '../../src/index.ts';
import { proven } from '../../src/proof/sign/refusal.ts';
import { packageRoot } from './root.ts';

/** Digests, hints of keys and lengths of signatures differ from run to run. */
const steady = (text: string): string =>
  text
    .replace(/[0-9a-f]{64}/g, '<hex>')
    .replace(/[A-Za-z0-9+/]{43}=/g, '<base64>')
    .replace(/at byte \d{3,}/, 'at byte <n>');

/** A refusal on a line, with everything it says. */
export const told = (outcome: Outcome<object>): string =>
  outcome.verified
    ? 'verified'
    : outcome.refusals
        .map(({ code, file, message, expected, actual }) =>
          steady([code, file, message, expected, actual].filter((one) => one !== undefined).join(' | ')),
        )
        .join('\n    ');

/** What an action is refused with. */
export const refused = (action: () => unknown): string =>
  told(
    proven(() => {
      action();
      return {};
    }),
  );

/** Holds `lines` against `fixtures/golden/NAME`. */
export function golden(t: Test, name: string, lines: readonly string[]): void {
  const path = join(packageRoot, 'fixtures', 'golden', name);
  const text = `${lines.join('\n')}\n`;
  if (process.env.STEELYARD_UPDATE_GOLDEN === '1') writeFileSync(path, text);
  t.equal(text, readFileSync(path, 'utf8'), name);
}
