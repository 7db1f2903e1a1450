// Uses the library: scans a model and says whether every weight file is one that was approved.
// node out/examples/allowlist.js PATH SHA256...
import { type Report, SteelyardError, scan } from '../src/index.ts';

const [path, ...approved] = process.argv.slice(2);

try {
  const report = await scan(path ?? '.');
  const strangers = weightFiles(report).filter(({ sha256 }) => !approved.includes(sha256));
  for (const { path, sha256 } of strangers) console.log(`${JSON.stringify(path)} is not approved: ${sha256}`);
  console.log(`${report.tensors.length} tensors measured, verdict ${report.verdict.outcome}`);
  process.exitCode = report.verdict.outcome === 'pass' && strangers.length === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof SteelyardError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 2;
}

function weightFiles({ files }: Report): Report['files'] {
  return files.filter(({ format }) => format !== null);
}
