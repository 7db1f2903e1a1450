// tap reporter: a line per test file, the whole of what failed, and "N passed, N failed[, N skipped]" at the end.
// Counts leaf assertions. A file or subtest that fails without a failing leaf (crash, timeout, bad plan) counts as one
// failure, so the last line never lies.
import { inspect } from 'node:util';
import { Parser } from 'tap-parser';

const total = { passed: 0, failed: 0, skipped: 0 };

function watch(parser, path) {
  let failedBefore = null; // failures when the latest child began; null: the next point is no child's
  parser.on('child', (child) => {
    failedBefore = total.failed;
    watch(child, [...path, child.name]);
  });
  parser.on('assert', (result) => {
    const isChild = failedBefore !== null;
    const isSilent = isChild && total.failed === failedBefore;
    failedBefore = null;
    if (result.skip || result.todo) {
      total.skipped++;
      console.log(`skipped: ${[...path, result.name].join(' > ')}: ${result.skip || result.todo}`);
    } else if (!isChild && result.ok) {
      total.passed++;
    } else if (!result.ok && (!isChild || isSilent)) {
      total.failed++;
      console.log(`not ok: ${[...path, result.name].join(' > ')}\n${inspect(result.diag, { depth: 6 })}`);
    }
    if (isChild && path.length === 0)
      console.log(`${result.ok ? 'ok' : 'not ok'} ${result.name} ${result.time ?? ''} ms`);
  });
  parser.on('bailout', (reason) => {
    total.failed++;
    console.log(`bail out: ${reason}`);
  });
  parser.on('comment', (comment) => {
    if (path.length > 0 && !/^# (Subtest|time|\{)/.test(comment)) console.log(`  ${comment.trim()}`);
  });
}

const parser = new Parser();
watch(parser, []);
process.stdin.on('data', (chunk) => parser.write(chunk));
process.stdin.on('end', () => {
  parser.end();
  if (!parser.ok && total.failed === 0) total.failed = 1;
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
});
