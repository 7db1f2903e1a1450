// What an incident asks for: a digest of anything, a package, a vulnerability, or a key that was stolen.
import { SteelyardError } from '../../rules/error.ts';
import { DIGEST } from '../claim/foreign.ts';
import { type Purl, readPurl } from '../evidence/purl.ts';

export type Query =
  | { readonly kind: 'digest'; readonly digest: string; readonly hex: string }
  | { readonly kind: 'package'; readonly purl: Purl }
  | { readonly kind: 'vulnerability'; readonly id: string }
  | { readonly kind: 'key'; readonly publicKey: Buffer };

/**
 * `sha256:…`, `pkg:…`, `CVE-…` or `GHSA-…`, `key:FILE`.
 *
 * @param load the bytes of a public key.
 * @throws SteelyardError USAGE
 */
export function readQuery(text: string, load: (path: string) => Buffer): Query {
  if (DIGEST.test(text)) return { kind: 'digest', digest: text, hex: text.slice('sha256:'.length) };
  if (text.startsWith('pkg:')) {
    const purl = readPurl(text);
    if (purl !== null) return { kind: 'package', purl };
  }
  if (/^(CVE|GHSA|GO|RUSTSEC|PYSEC|OSV|ALAS|DSA|RHSA)-[\w:.-]{1,100}$/i.test(text))
    return { kind: 'vulnerability', id: text };
  if (text.startsWith('key:')) return { kind: 'key', publicKey: load(text.slice('key:'.length)) };
  throw new SteelyardError(
    'USAGE',
    'a query is a digest (sha256:…), a package (pkg:…), a vulnerability (CVE-…, GHSA-…) or a public key (key:FILE)',
  );
}
