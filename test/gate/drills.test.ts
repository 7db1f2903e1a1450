// biome-ignore-all lint/suspicious/noAssignInExpressions: each change of a policy is one change of one thing
// Every drill of the table ends with its code, and never with a promotion; what does not hurt is no refusal.
import t from 'tap';
import { VerdictSchema } from '../../src/gate/verdict/verdict-schema.ts';
import { signDocument } from '../../src/proof/sign/sign.ts';
import { type Anything, hex, pair } from '../kit/specimen/forgery.ts';
import {
  critical,
  DRILLS,
  OTHER,
  removed,
  SIGNATURE,
  TRIVY,
  VULNS,
  vex,
  withGrype,
} from './specimen/drills.ts';
import {
  at,
  codesOf,
  DAY,
  type Draft,
  judge,
  KEYS,
  NOW,
  policyOf,
  policySpecimen,
  signature,
  type World,
  world,
} from './specimen/release.ts';

t.setTimeout(600_000);

t.test('the release promotes before anything is taken from it', (t) => {
  const verdict = judge(world());
  t.equal(verdict.outcome, 'promote');
  t.same(verdict.refusals, []);
  t.same(verdict.unused, []);
  t.same(VerdictSchema.parse(verdict), verdict, 'it keeps its schema');
  t.same(judge(world()).outcome, 'promote', 'every time');
  t.end();
});

for (const { row, code, change, after } of DRILLS) {
  t.test(row, (t) => {
    const verdict = judge(world(change, after));
    t.equal(verdict.outcome, 'refuse');
    t.equal(verdict.validUntil, null);
    t.same(VerdictSchema.parse(verdict), JSON.parse(JSON.stringify(verdict)), 'it keeps its schema');
    t.ok(codesOf(verdict).includes(code), `${code} is among ${codesOf(verdict).join(', ')}`);
    t.end();
  });
}

t.test('what does not hurt is no refusal', (t) => {
  const promotes = (row: string, change?: (draft: Draft) => void, after?: (world: World) => void): void => {
    const verdict = judge(world(change, after));
    t.equal(verdict.outcome, 'promote', `${row}: ${codesOf(verdict).join(', ')}`);
  };
  promotes('an exception by security', vex('security'));
  promotes('a waiver', (d) => {
    critical(d);
    d.policy.exceptions.waivers = [
      {
        id: 'CVE-2026-9',
        package: 'pkg:apk/alpine/musl',
        reason: 'unused',
        owner: 'security',
        expires: '2026-12-01',
      },
    ];
  });
  promotes(
    'grype in place of trivy',
    withGrype(() => undefined),
  );
  promotes('a report of another image beside the right one', (d) => {
    const json = structuredClone(d.documents[TRIVY]!.json);
    json.Metadata.RepoDigests = [`registry.example/acme/server@${OTHER.digest}`];
    d.documents['evidence/other.trivy.json'] = { by: 'scanner', json };
  });
  promotes(
    'a third approval',
    (d) => void (d.approvals['evidence/approvals/carol.sigstore.json'] = { by: 'carol' }),
  );
  promotes('a recall of something else', (d) => d.recalled.push({ digests: [`sha256:${hex('nothing')}`] }));
  promotes('an unsigned file', (d) => void (d.raw['evidence/README'] = Buffer.from('hello')));
  promotes('vulns v0.2', (d) => {
    removed(TRIVY)(d);
    const predicate = {
      scanner: {
        uri: 'x',
        db: { lastUpdate: at(NOW - 2 * DAY) },
        result: [{ id: 'CVE-1', severity: [{ method: 'nvd', score: '3.1' }] }],
      },
      metadata: { scanStartedOn: at(NOW - DAY), scanFinishedOn: at(NOW - DAY) },
    };
    d.statements['evidence/v.intoto.jsonl'] = {
      by: 'scanner',
      about: d.image.platforms[0]!.manifest,
      type: VULNS,
      predicate,
    };
  });
  promotes('an old image signature', (d) => {
    removed(SIGNATURE)(d);
    const critical = {
      identity: { 'docker-reference': 'x' },
      image: { 'docker-manifest-digest': d.image.digest },
      type: 'cosign container image signature',
    };
    const payload = Buffer.from(JSON.stringify({ critical, optional: null }));
    const { messageSignature } = JSON.parse(signature(KEYS.ci, payload).toString());
    d.raw['evidence/image/old.sig.json'] = Buffer.from(
      JSON.stringify({ Base64Signature: messageSignature.signature, Payload: payload.toString('base64') }),
    );
  });
  t.end();
});

t.test('a policy that is open somewhere does not parse', (t) => {
  const wrong = (what: string, change: (it: Anything) => void, message: RegExp): void => {
    const json = policySpecimen();
    change(json);
    t.throws(() => policyOf(json), { code: 'INVALID_POLICY', message }, what);
  };
  wrong('need: 0', (it) => void (it.approvals.need = 0), /need/);
  wrong('need more than there are', (it) => void (it.approvals.need = 4), /never approve/);
  wrong('signedBy: []', (it) => void (it.controls[0].signedBy = []), /signedBy/);
  wrong('count: 0', (it) => void (it.controls[0].count = 0), /count/);
  wrong('an unknown field', (it) => void (it.controls[0].warn = true), /warn/);
  wrong('an unknown kind', (it) => void (it.controls[0].kind = 'hope'), /kind|discriminator/);
  wrong('no controls', (it) => void (it.controls = []), /controls/);
  wrong('no recalls', (it) => delete it.recalls, /recalls/);
  wrong('no approvals', (it) => delete it.approvals, /approvals/);
  wrong('no image', (it) => delete it.image, /image/);
  wrong('no model', (it) => delete it.release.model, /model/);
  wrong('an unknown identity', (it) => void (it.controls[0].signedBy = ['nobody']), /no identity/);
  wrong('an unknown person', (it) => void (it.approvals.of = ['alice', 'dora']), /no person/);
  wrong('one key under two names', (it) => void (it.identities.again = { key: 'ci' }), /one and the same/);
  wrong('one identity of two persons', (it) => void (it.people.bob = ['bob', 'alice']), /already/);
  wrong('a person twice', (it) => void (it.approvals.of = ['alice', 'alice']), /twice/);
  wrong('a duration without end', (it) => void (it.recalls.maxAge = '400d'), /366d/);
  wrong('two controls of one id', (it) => void (it.controls[1].id = 'cve'), /taken/);
  wrong('an image control without image', (it) => void (it.image = 'none'), /image: none/);
  wrong('vulns without a method', (it) => delete it.controls[0].method, /method/);
  wrong(
    'a holder without a name',
    (it) => void (it.identities.bob = { certificateChain: 'ci' }),
    /identities/,
  );
  t.end();
});

t.test('a control that breaks is no pass', (t) => {
  const broken = world();
  Object.defineProperty(broken.release, 'evidence', {
    get: () => {
      throw new TypeError('bug');
    },
  });
  t.throws(() => judge(broken), TypeError);
  t.end();
});

t.test('signatures by keys of other kinds are not taken for the trusted one', (t) => {
  const other = pair('secp384r1');
  const verdict = judge(
    world(undefined, ({ release }) =>
      Object.assign(release, {
        mbomSignature: Buffer.from(signDocument(release.mbom.bytes, { privateKey: other.secret })),
      }),
    ),
  );
  t.same(verdict.refusals.map(({ code }) => code).includes('WRONG_KEY'), true);
  t.end();
});
