// What other programs wrote: cosign's image signatures on two registries and in OCI layouts, in-toto's layouts and links, reports of trivy,
// grype and syft. Where we say something else than the program itself, the table says so.
import { createHash, createPublicKey } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readForeign } from '../../src/gate/claim/foreign.ts';
import { openAll } from '../../src/gate/claim/opened.ts';
import { digestOf, sortEvidence } from '../../src/gate/claim/piece.ts';
import { kindOfDocument } from '../../src/gate/claim/proven-claim.ts';
import { readGrype } from '../../src/gate/evidence/report/grype.ts';
import { readTrivy } from '../../src/gate/evidence/report/trivy.ts';
import { readCycloneDx } from '../../src/gate/evidence/sbom/cyclonedx.ts';
import { readSpdx } from '../../src/gate/evidence/sbom/spdx.ts';
import { readOpenVex } from '../../src/gate/evidence/vex.ts';
import { fetchImage, type Get } from '../../src/gate/image/fetching.ts';
import { signImage } from '../../src/gate/image/image-signing.ts';
import { imageSignatures } from '../../src/gate/image/signature.ts';
import { hasSigned, readFunctionary } from '../../src/gate/layout/functionary.ts';
import { verifyLayout } from '../../src/gate/layout/layout.ts';
import { readMetadata } from '../../src/gate/layout/metadata.ts';
import { settled } from '../../src/gate/verdict/denial.ts';
import { packageRoot } from '../kit/root.ts';
import { type Anything, pair } from '../kit/specimen/forgery.ts';

t.setTimeout(600_000);

const COMPAT = join(packageRoot, 'fixtures', 'compat');
const NOW = new Date('2026-12-01T00:00:00Z');
const RECORDED: Anything = JSON.parse(readFileSync(join(COMPAT, 'cosign-images', 'recorded.json'), 'utf8'));
const body = (hex: string): Buffer => {
  const found = RECORDED.bodies[hex];
  return typeof found === 'string' ? Buffer.from(found) : Buffer.from(found.base64, 'base64');
};
const identity = (name: string) => ({
  name,
  subject: null,
  trust: { method: 'key' as const, publicKey: Buffer.from(RECORDED.keys[name]) },
});
const IDENTITIES = [identity('release')];

/** What the gate says of an image with these files. */
function said(digest: string, files: readonly { path: string; bytes: Buffer }[]): string[] {
  const evidence = files.map((file) => ({ ...file, digest: digestOf(file.bytes) }));
  const pieces = sortEvidence(evidence);
  const { counted, refused } = imageSignatures(
    digest,
    openAll(pieces, IDENTITIES, NOW),
    pieces,
    evidence,
    IDENTITIES,
  );
  if (counted.length > 0) return ['accept'];
  return refused.length === 0 ? ['UNSIGNED'] : refused.map(({ code }) => code);
}

/** `UNSIGNED (why)`, or one of several. */
const allowed = (wanted: string | string[]): string[] => [wanted].flat().map((one) => one.split(' ', 1)[0]!);

t.test('cosign: 31 repositories on two registries, index and platforms', async (t) => {
  let rows = 0;
  for (const { repository, registries } of Object.values<Anything>(RECORDED.cases)) {
    for (const [registry, rowsOf] of Object.entries<Anything>(registries)) {
      for (const [what, { digest, steelyard }] of Object.entries<Anything>(rowsOf)) {
        const get: Get = async (path) => {
          const answer = RECORDED.http[registry][`/v2/${repository}/${path}`];
          return answer === undefined ? null : { bytes: body(answer[1]), next: null };
        };
        const files = await fetchImage(digest, get);
        const codes = said(
          digest,
          files.map(({ name, bytes }) => ({ path: `evidence/image/${name}`, bytes })),
        );
        // Signatures of the platforms lie beside those of an index, and are about something else.
        const own = codes.filter(
          (code) => code !== 'EVIDENCE_FOR_OTHER' || allowed(steelyard).includes(code),
        );
        const code = own.length === 0 ? 'UNSIGNED' : own[0]!;
        // Under an index that nobody signed, a stranger's signature of a platform cannot be told from one of the index.
        const beside = what === 'index' && steelyard === 'UNSIGNED' ? ['WRONG_KEY', 'BAD_SIGNATURE'] : [];
        t.ok(
          [...allowed(steelyard), ...beside].includes(code),
          `${repository} ${registry} ${what}: ${codes} for ${steelyard}`,
        );
        rows++;
      }
    }
  }
  t.equal(rows, 186, 'every row');
});

t.test(
  'cosign 3.1.3 accepted this signature, which was made here; it is still what we write, and still counts',
  (t) => {
    const folder = join(COMPAT, 'cosign-images', 'made-here');
    const bytes = (name: string): Buffer => readFileSync(join(folder, name));
    const digest = digestOf(bytes('manifest.json'));
    const file = { path: 'evidence/image/x.sigstore.json', bytes: bytes('image.sigstore.json') };
    const made = { ...file, digest: digestOf(file.bytes) };
    const by = (publicKey: Buffer) => [
      { name: 'k', subject: null, trust: { method: 'key' as const, publicKey } },
    ];
    const judged = (key: Buffer) => {
      const pieces = sortEvidence([made]);
      return imageSignatures(digest, openAll(pieces, by(key), NOW), pieces, [made], by(key));
    };
    t.equal(judged(bytes('key.pub')).counted.length, 1);
    t.equal(judged(Buffer.from(RECORDED.keys.release)).counted.length, 0, 'by that key alone');
    const payload = (bundle: string): string => JSON.parse(bundle).dsseEnvelope.payload;
    const [, reference] = /Verification for (\S+) --/.exec(bytes('cosign-verify.txt').toString())!;
    const again = signImage(reference!, { privateKey: pair().secret });
    t.equal(payload(again), payload(file.bytes.toString()), 'the same statement');
    t.end();
  },
);

t.test('cosign: OCI layouts', (t) => {
  for (const [name, { root, steelyard, index, blobs }] of Object.entries<Anything>(RECORDED.layouts)) {
    const files = [
      { path: 'evidence/image/index.json', bytes: Buffer.from(index) },
      ...blobs.map((hex: string) => ({ path: `evidence/image/blobs/sha256/${hex}`, bytes: body(hex) })),
    ];
    const codes = said(root, files);
    const own = codes.filter((code) => code !== 'EVIDENCE_FOR_OTHER' || allowed(steelyard).includes(code));
    t.ok(allowed(steelyard).includes(own[0] ?? 'UNSIGNED'), `${name}: ${codes} for ${steelyard}`);
  }
  t.end();
});

t.test('cosign download: signatures and attestations as lines', (t) => {
  const download = JSON.parse(readFileSync(join(COMPAT, 'cosign-images', 'download.json'), 'utf8'));
  const opened = (name: string) => {
    const bytes = Buffer.from(download[name]);
    const pieces = sortEvidence([{ path: `evidence/${name}`, bytes, digest: digestOf(bytes) }]);
    return { pieces, ...openAll(pieces, IDENTITIES, NOW) };
  };
  t.same(
    opened('signed.signature.jsonl').claims.map(({ kind }) => kind),
    ['image-signature'],
  );
  t.same(
    opened('old.signature.jsonl').pieces.map(({ form }) => form),
    ['old-signature'],
  );
  const evidence = opened('evidence.attestation.jsonl');
  t.same(evidence.unopened, []);
  t.ok(evidence.claims.some(({ kind }) => kind === 'cosign-vuln/v1'));
  const old = opened('evidence-old.attestation.jsonl');
  t.same(old.unopened, [], 'bare envelopes of Statement v0.1');
  t.ok(old.claims.some(({ kind }) => kind === 'openvex'));
  t.end();
});

const IN_TOTO = join(COMPAT, 'in-toto');
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

t.test('in-toto: 41 cases', (t) => {
  const { cases } = JSON.parse(readFileSync(join(IN_TOTO, 'expected.json'), 'utf8'));
  const owner = createPublicKey(readFileSync(join(IN_TOTO, 'keys', 'owner-ecdsa.pub.pem')));
  for (const one of cases as Anything[]) {
    const folder = join(IN_TOTO, 'cases', one.case);
    const at = (name: string): string => join(folder, name);
    const file = (path: string, step: string) => ({
      path,
      step,
      sha256: existsSync(at(path)) ? sha256(readFileSync(at(path))) : null,
    });
    const compared =
      existsSync(at('serving.yaml')) || one.case === '38' ? [file('serving.yaml', 'configure')] : [];
    const files = one.realFiles ? [...compared, file('adapter.safetensors', 'fetch')] : compared;
    const result = settled(() =>
      verifyLayout({
        layout: readFileSync(at('root.layout')),
        links: readdirSync(folder)
          .filter((name) => name.endsWith('.link'))
          .map((name) => ({ path: name, bytes: readFileSync(at(name)) })),
        owners: [{ name: 'owner', key: owner }],
        now: NOW.getTime(),
        files,
        exactCommands: false,
      }),
    );
    const code = result.denials === undefined ? 'accept' : result.denials[0].code;
    t.ok([one.steelyard].flat().includes(code), `${one.case} ${one.title}: ${code} for ${one.steelyard}`);
    if (one.case === '30') t.match(result.value?.notes, [/another command/]);
  }
  t.equal(cases.length, 41);
  t.end();
});

t.test('in-toto-golang: every signature that it made verifies, and what we do not read is refused', (t) => {
  const folder = join(IN_TOTO, 'golang');
  const keys = new Map<string, ReturnType<typeof readFunctionary>>();
  const documents = readdirSync(folder).filter((name) => /\.(layout|link)$/.test(name));
  for (const name of documents) {
    const { signed, type } = readMetadata(readFileSync(join(folder, name)));
    if (type !== 'layout') continue;
    for (const [id, entry] of signed.get('keys').entries()) {
      const read = settled(() => readFunctionary(entry));
      if (read.value !== undefined) keys.set(id, read.value);
    }
  }
  let verified = 0;
  for (const name of documents) {
    const { signatures, bytes } = readMetadata(readFileSync(join(folder, name)));
    for (const { keyid, signature } of signatures) {
      const key = keys.get(keyid);
      if (key === undefined) continue;
      t.ok(hasSigned(key, bytes, signature), name);
      t.notOk(hasSigned(key, Buffer.concat([bytes, Buffer.from(' ')]), signature), name);
      verified++;
    }
  }
  t.ok(verified >= 5, `${verified} signatures`);
  t.end();
});

const REPORTS = join(COMPAT, 'reports');
const document = (name: string) => readForeign(readFileSync(join(REPORTS, name)));

t.test('reports: every fact that a reader must find', (t) => {
  const index: Anything[] = JSON.parse(readFileSync(join(REPORTS, 'index.json'), 'utf8'));
  const time = (text: string | null | undefined): number | null =>
    text ? Date.parse(text.replace(/(\.\d{3})\d+/, '$1')) : null;
  for (const { file, facts } of index) {
    if (facts.kind === 'trivy') {
      const read = readTrivy(document(file));
      const listed = facts.results.reduce(
        (sum: number, one: Anything) => sum + one.vulnerabilities + one.modified,
        0,
      );
      t.equal(read.vulnerabilities.filter(({ id }) => id !== 'END-OF-LIFE').length, listed, file);
      t.equal(
        read.vulnerabilities.some(({ id }) => id === 'END-OF-LIFE'),
        facts.eosl === true,
        file,
      );
      t.equal(read.names.config, facts.imageID, file);
      t.equal(read.time, time(facts.createdAt), file);
      t.equal(read.database, null, 'no golden names its database');
      t.equal(
        read.empty === null,
        facts.results.some(
          (one: Anything) => /-pkgs$/.test(one.class) && one.packages + one.vulnerabilities > 0,
        ),
        file,
      );
    }
    if (facts.kind === 'grype') {
      const read = readGrype(document(file));
      t.equal(read.vulnerabilities.length, facts.matches + facts.ignoredMatches, file);
      t.same(
        new Set(read.vulnerabilities.map(({ severity }) => severity)),
        new Set(facts.severities.map((one: string) => one.toLowerCase())),
        file,
      );
      t.equal(read.time, time(facts.timestamp), file);
      t.equal(read.database, time(facts.databaseBuilt), file);
      t.equal(read.names.config, facts.imageID ?? null, file);
      t.same(read.names.digests, facts.manifestDigest ? [facts.manifestDigest] : [], file);
    }
    if (facts.kind === 'cyclonedx') {
      const read = settled(() => readCycloneDx(document(file)));
      t.equal(read.value?.count, facts.components, file);
    }
    if (facts.kind === 'spdx') {
      const read = settled(() => readSpdx(document(file)));
      t.equal(read.value?.count, Math.max(0, facts.packages - facts.describes.length), file);
      const [checksum] = facts.root[0]?.checksums ?? [];
      if (checksum !== undefined)
        t.same(read.value?.names.digests, [`sha256:${checksum.checksumValue}`], file);
    }
    if (facts.kind === 'openvex') {
      const read = settled(() => readOpenVex(document(file), []));
      t.equal(read.value?.length, facts.statements?.length, file);
    }
    if (facts.kind === 'sarif' || facts.kind === 'csaf')
      t.equal(kindOfDocument(document(file)), 'unknown', `${file} is not read`);
  }
  t.end();
});

t.test('reports that name an image', (t) => {
  const evidence = RECORDED.cases.evidence.registries['referrers-api'];
  const trivy = readTrivy(document('made/trivy-bound.json'));
  t.same(trivy.names.digests, [evidence.index.digest]);
  t.equal(trivy.database, null);
  const grype = readGrype(document('made/grype-bound.json'));
  t.ok(grype.names.digests.every((digest) => digest === evidence.amd64.digest));
  t.equal(grype.names.config, trivy.names.config);
  t.equal(grype.empty, null);
  t.ok(grype.database! < grype.time!);
  t.end();
});

t.test('bare DSSE of cosign: the right key alone, and nothing that was changed', (t) => {
  const folder = join(REPORTS, 'bare-dsse');
  const opened = (name: string, key: string) => {
    const bytes = readFileSync(join(folder, name));
    const pieces = sortEvidence([{ path: name, bytes, digest: digestOf(bytes) }]);
    const trust = { method: 'key' as const, publicKey: readFileSync(join(folder, key)) };
    return openAll(pieces, [{ name: 'k', trust, subject: null }], NOW).claims.map(({ kind }) => kind);
  };
  t.same(opened('cdx.att.json', 'cosign.pub'), ['cyclonedx']);
  t.same(opened('syft.att.json', 'cosign.pub'), ['unknown'], "syft's own format is not read");
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.json'))) {
    t.same(opened(name, 'another_cosign.pub'), [], name);
    if (name.includes('tampered')) t.same(opened(name, 'cosign.pub'), [], name);
  }
  t.end();
});
