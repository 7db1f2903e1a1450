// The tests that mutants of src/gate are tried with: those that call it in this process. `npx stryker run scripts/mutation/gate.json`.
import { load } from './load.mjs';

await load(['gate/compat', 'gate/drills', 'gate/drill', 'gate/find', 'gate/layout', 'gate/hostile']);
