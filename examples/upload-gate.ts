// Uses the library: lets an upload in if it is the model that was approved, and says what departs if it is not.
// node out/examples/upload-gate.js UPLOAD BASELINE.json [POLICY.yaml]
import { readFileSync } from 'node:fs';
import { parsePolicy, parseProfile, SteelyardError, scan } from '../src/index.ts';

const [upload = '.', baselinePath = '', policyPath] = process.argv.slice(2);

try {
  const report = await scan(upload, {
    baseline: parseProfile(readFileSync(baselinePath, 'utf8')),
    mode: 'exact',
    ...(policyPath === undefined
      ? {}
      : { policy: parsePolicy(readFileSync(policyPath, 'utf8'), policyPath), today: today() }),
    signal: AbortSignal.timeout(600_000),
  });
  // The worst departure comes first. Names come from the file: quote them before they reach a terminal.
  for (const { severity, rule, file, tensor, message } of report.findings.slice(0, 10))
    console.log(severity, rule, JSON.stringify(tensor ?? file), message);
  console.log(report.verdict.outcome === 'pass' ? 'accepted' : `refused: ${report.verdict.outcome}`);
  process.exitCode = { pass: 0, fail: 1, error: 2 }[report.verdict.outcome];
} catch (error) {
  if (!(error instanceof SteelyardError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 2;
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}
