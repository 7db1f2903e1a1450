// What a pull did, for later: where the model came from, what pinned it, and what every file was held against. No clock, no
// credential, no signed address is in it. It lies beside the model, never in it, and counts for others only when it is signed.

import type { Report } from '../../baseline/report.ts';
import { jsonText } from '../../document/json/chunks.ts';
import { withDefaults } from '../../proof/sign/files/exclusion.ts';
import { type AnyKey, type Signed, signStatement } from '../../proof/sign/sign.ts';
import { toManifest } from '../../proof/sign/statement/manifest.ts';
import { writeStatement } from '../../proof/sign/statement/statement.ts';
import { VERSION } from '../../runtime/package.ts';
import type { Pin, Source } from '../../source/source.ts';
import type { Expectation } from '../expectation/expectation.ts';

interface ReceiptFile {
  readonly path: string;
  readonly size: number;
  /** `sha256:…` of the bytes that were scanned and committed. */
  readonly sha256: string;
  /** What decided that these are the right bytes; null: nobody had said anything. */
  readonly expected: Expectation | null;
}

export interface Receipt {
  readonly schema: 'steelyard/pull/1';
  readonly tool: { readonly name: 'steelyard'; readonly version: string };
  readonly source: string;
  /** The server that was asked. */
  readonly endpoint: string;
  readonly pin: Pin;
  readonly zone: string | null;
  /** `sha256:…` over the bytes of the policy; null: there was none. */
  readonly policy: string | null;
  /** `sha256:…`: the root digest, as in signatures and MBOMs. */
  readonly model: string;
  readonly failOn: string;
  readonly files: readonly ReceiptFile[];
}

/** The predicate of a signed receipt. */
export const PULL_PREDICATE = 'urn:steelyard:pull:v1';

export function receiptOf(
  source: Source,
  report: Report,
  expected: ReadonlyMap<string, readonly Expectation[]>,
  {
    zone = null,
    policyDigest = null,
  }: { readonly zone?: string | null; readonly policyDigest?: string | null },
): Receipt {
  return {
    schema: 'steelyard/pull/1',
    tool: { name: 'steelyard', version: VERSION },
    source: source.uri,
    endpoint: source.endpoint,
    pin: source.pin,
    zone,
    policy: policyDigest,
    model: `sha256:${toManifest(report.files, withDefaults()).root}`,
    failOn: report.verdict.failOn,
    files: report.files.map(({ path, size, sha256 }) => ({
      path,
      size,
      sha256,
      expected: expected.get(path)?.[0] ?? null,
    })),
  };
}

export const writeReceipt = (receipt: Receipt): string => jsonText(receipt);

/** The receipt as a signed statement about the model's root digest, on one line. */
export function signReceipt<Key extends AnyKey>(
  receipt: Receipt,
  name: string,
  key: Key,
): Signed<Key, string> {
  const subject = [{ name, digest: { sha256: receipt.model.slice('sha256:'.length) } }];
  return signStatement(writeStatement(subject, PULL_PREDICATE, receipt), key);
}
