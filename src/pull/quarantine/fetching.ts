// A listed source into a quarantine, and the native pass behind its bytes.
import type { Violation } from '../../document/violations.ts';
import { type Finding, toFinding } from '../../rules/finding.ts';
import { threadsOf } from '../../scan/measure/measure.ts';
import type { Followed } from '../../scan/measure/options.ts';
import type { Source, SourceFile } from '../../source/source.ts';
import type { PullOptions } from '../result.ts';
import { arrive } from './arrival.ts';
import { Following } from './following.ts';
import { listingOf } from './ledger.ts';
import type { Quarantine } from './quarantine.ts';

const CONNECTIONS = 8;

/** A header that no loader takes: the rest of the model is not fetched. */
export class HeaderRefused extends Error {
  readonly findings: readonly Finding[];

  constructor(findings: readonly Finding[]) {
    super('a header is refused');
    this.findings = findings;
  }
}

/** What was measured meanwhile. Throws HeaderRefused, and what sources and disks throw. */
export async function fetchInto(
  quarantine: Quarantine,
  source: Source,
  options: PullOptions,
): Promise<ReadonlyMap<string, Followed>> {
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  if (options.signal?.aborted) abort();
  options.signal?.addEventListener('abort', abort);
  let refused: HeaderRefused | null = null;
  const following = follow(quarantine, source, options, (file, violations) => {
    const findings = violations.map((violation) => toFinding({ ...violation, file: file.path }));
    if (!findings.some(({ severity }) => severity === 'critical')) return;
    refused = new HeaderRefused(findings);
    abort();
  });
  try {
    await arrive({
      source,
      quarantine,
      listing: listingOf(source),
      connections: options.connections ?? CONNECTIONS,
      signal: stop.signal,
      onPrefix: (file, available) => following?.arrived(file, available),
      ...progressOf(source, options),
    });
    return (await following?.end()) ?? new Map();
  } catch (error) {
    throw refused ?? error;
  } finally {
    options.signal?.removeEventListener('abort', abort);
    await following?.close();
  }
}

/** null: files are measured in processes of their own, or a policy weighs findings otherwise than the table does. */
function follow(
  quarantine: Quarantine,
  { files }: Source,
  options: PullOptions,
  onBad: (file: SourceFile, violations: readonly Violation[]) => void,
): Following | null {
  if (options.isolate === 'process') return null;
  const { policy, failOn, forensics = false } = options;
  const isPlain =
    failOn !== 'none' && policy?.failOn !== 'none' && !policy?.severity.size && !policy?.waivers.length;
  return new Following(files, threadsOf(options), {
    forensics,
    open: (path) => quarantine.readFile(path),
    onHeader: isPlain ? onBad : () => undefined,
  });
}

function progressOf({ files }: Source, { onProgress }: PullOptions) {
  const bytesTotal = files.reduce((sum, { size }) => sum + size, 0);
  let [bytesDone, filesDone] = [0, 0];
  const tell = (): void => onProgress?.({ filesDone, filesTotal: files.length, bytesDone, bytesTotal });
  return {
    onBytes: (count: number): void => {
      bytesDone += count;
      tell();
    },
    onFile: (): void => {
      filesDone++;
      tell();
    },
  };
}
