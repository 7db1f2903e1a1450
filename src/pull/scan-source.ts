// A scan of a source, for programs: as of its folder, without keeping it.
import type { Report } from '../baseline/report.ts';
import { type ScanOptions, scan } from '../scan.ts';
import type { SourceOptions } from '../source/source.ts';
import { borrow } from './borrowed.ts';

/**
 * Scans a model where it is: the report that `scan` gives of its folder. Weights go through memory; with a baseline, or in processes
 * of their own, the model lies below the temporary folder until the promise settles.
 *
 * @param options of the scan, and where credentials and endpoints are taken from: `env: process.env`.
 * @throws SteelyardError DIGEST_MISMATCH, what sources throw, and what `scan` throws.
 * @example
 * const report = await scanSource('s3://llm-artifacts/zoo/mistral/', { env: process.env });
 */
export async function scanSource(uri: string, options: SourceOptions & ScanOptions): Promise<Report> {
  const { env, endpoint, http, ...scanning } = options;
  const { rows = false, sketch = false, forensics = false, baseline, isolate } = scanning;
  const isPassing = baseline === undefined && isolate !== 'process';
  const model = await borrow(uri, {
    ...options,
    ...(isPassing ? { wanted: { rows, sketch, forensics } } : {}),
  });
  try {
    return await scan(model.folder, { ...scanning, followed: model.followed });
  } finally {
    model.end();
  }
}
