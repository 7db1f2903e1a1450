// Each drill seen red: with the checks that its code came from switched off, it is no longer blocked by that code. A drill that stays
// green without its check shows nothing.
import { register } from 'node:module';
import t from 'tap';

t.setTimeout(600_000);

/** Places that denied something since `watch`, and the code that they gave. */
const met = new Map<string, Set<string>>();
const off = new Set<string>();
const note = (site: string, code: string): boolean => {
  met.set(site, (met.get(site) ?? new Set()).add(code));
  return off.has(site);
};
const GONE = 'GONE';

Object.assign(globalThis, {
  steelyardCheck:
    (site: string, deny: (...args: unknown[]) => never) =>
    (code: string, ...rest: unknown[]): undefined =>
      note(site, code) ? undefined : deny(code, ...rest),
  steelyardDenial: (site: string, code: string): string => (note(site, code) ? GONE : code),
});
register('./specimen/unchecked.js', import.meta.url);

const { DRILLS } = await import('./specimen/drills.ts');
const { codesOf, judge, world } = await import('./specimen/release.ts');
const { drillsFor, runDrill } = await import('../../src/gate/incident/drill/drill.ts');

/** Switches off where `code` comes from, again and again, until `run` no longer meets it. */
function withoutChecks(
  code: string,
  run: () => readonly string[],
): { readonly removed: number; readonly left: readonly string[] } {
  off.clear();
  for (let round = 0; round < 6; round++) {
    met.clear();
    const codes = seen(run);
    if (!codes.includes(code)) return { removed: off.size, left: codes.filter((one) => one !== GONE) };
    for (const [site, given] of met) if (given.has(code)) off.add(site);
  }
  return { removed: off.size, left: [code] };
}

/** Code behind a check that is gone may fall over what the check kept out: a drill is red then, too. */
function seen(run: () => readonly string[]): readonly string[] {
  try {
    return run();
  } catch (error) {
    return [`threw ${(error as Error).name}`];
  }
}

t.test('every drill of the table', (t) => {
  let promoted = 0;
  for (const { row, code, change, after } of DRILLS) {
    off.clear();
    const made = world(change, after);
    const { removed, left } = withoutChecks(code, () => codesOf(judge(made)));
    t.ok(
      removed > 0 && !left.includes(code),
      `${row}: ${removed} places of ${code} switched off, left: ${left.join(', ')}`,
    );
    if (left.length === 0) promoted++;
  }
  t.ok(
    promoted > 0,
    `${promoted} of ${DRILLS.length} would then have been promoted; the others met a second check`,
  );
  off.clear();
  t.end();
});

t.test('every drill of the command', (t) => {
  const { release, policy, now, current } = world();
  const scene = { release, policy, now, current };
  for (const drill of drillsFor(scene, judge({ ...scene, image: undefined as never }))) {
    off.clear();
    const [code] = runDrill(drill, scene).codes;
    const { removed, left } = withoutChecks(code!, () => runDrill(drill, scene).codes);
    t.ok(
      removed > 0 && !left.includes(code!),
      `${drill.name}: ${removed} places of ${code} switched off, left: ${left.join(', ')}`,
    );
  }
  off.clear();
  t.end();
});
