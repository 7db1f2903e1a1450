// The drills that the command runs: each applies to the specimen, and each is blocked by the code that it is for.
import t from 'tap';
import { drillsFor, runDrill } from '../../src/gate/incident/drill/drill.ts';
import { judge, world } from './specimen/release.ts';

t.setTimeout(600_000);

t.test('every drill is blocked by its code', (t) => {
  const { release, policy, now, current } = world();
  const scene = { release, policy, now, current };
  const verdict = judge({ ...scene, image: undefined as never });
  const drills = drillsFor(scene, verdict);
  t.ok(drills.length > 50, `${drills.length} drills`);
  t.equal(new Set(drills.map(({ name }) => name)).size, drills.length, 'each has a name of its own');
  for (const drill of drills) {
    const result = runDrill(drill, scene);
    t.equal(
      result.outcome,
      'blocked',
      `${result.name}: ${result.codes.join(', ')} for ${result.expected.join(', ')}`,
    );
  }
  t.equal(judge({ ...scene, image: undefined as never }).outcome, 'promote', 'and the release is as it was');
  t.end();
});
