// The init step of a serving container: the server starts only if the model is signed by us, is what the MBOM declares, and
// scans clean. One pass over the files answers all three.
// node out/examples/verify-before-load.js MODEL-FOLDER PUBLIC-KEY
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Outcome, SteelyardError, scan, verify, verifyMbom } from '../src/index.ts';

const [model = '.', publicKey = 'key.pub.pem'] = process.argv.slice(2);
const evidence = (name: string): Buffer => readFileSync(join(model, name));

try {
  const trust = { method: 'key', publicKey: readFileSync(publicKey) } as const;
  const { files, verdict } = await scan(model);
  const signature = { bundle: evidence('model.mbom.yaml.sigstore.json'), trust };
  const proven =
    isVerified('model.sig', verify(files, evidence('model.sig'), trust)) &&
    isVerified('model.mbom.yaml', verifyMbom(evidence('model.mbom.yaml'), files, { signature }));
  console.log(`scan: ${verdict.outcome}`);
  // What could not be looked at is no pass: only this one combination lets the server start.
  process.exitCode = proven && verdict.outcome === 'pass' ? 0 : 1;
} catch (error) {
  const code = error instanceof SteelyardError ? error.code : (error as NodeJS.ErrnoException).code;
  console.error(`not started: ${code}: ${(error as Error).message}`);
  process.exitCode = 2;
}

function isVerified(name: string, outcome: Outcome<{ rootDigest: string }>): boolean {
  if (outcome.verified) console.log(`${name}: verified ${outcome.rootDigest}`);
  else
    for (const { code, file, message } of outcome.refusals)
      console.error(JSON.stringify({ evidence: name, code, file, message }));
  return outcome.verified;
}
