// The control `vulnerabilities`: for each platform that is promoted, reports that are fresh, of a fresh database, about that platform; and
// no finding at the limit or above it that nobody excused.
import type { Claim } from '../claim/proven-claim.ts';
import type { Vulnerability, VulnerabilityReport } from '../evidence/evidence.ts';
import { matches, readPurl } from '../evidence/purl.ts';
import { readGrype } from '../evidence/report/grype.ts';
import { readTrivy, readTrivyVersion } from '../evidence/report/trivy.ts';
import { RANK, readCosignVuln, readVulns } from '../evidence/report/vulns.ts';
import type { Platform } from '../image/image.ts';
import { milliseconds } from '../release-policy/release-policy.ts';
import type { ControlOf } from '../release-policy/schema.ts';
import { type Denial, deny, settled } from '../verdict/denial.ts';
import type { CountedEvidence, GateFinding } from '../verdict/verdict.ts';
import { type Context, type ControlResult, collect, evidenceOf } from './context.ts';
import { excusesOf, findingOf } from './exceptions.ts';
import { platformOf } from './image-binding.ts';

type Control = ControlOf<'vulnerabilities'>;

interface Read extends VulnerabilityReport {
  readonly platform: Platform;
}

const SKEW = 5 * 60_000;

/** @param shown package URLs that the SBOMs of the image show. */
export function vulnerabilities(control: Control, context: Context, shown: readonly string[]): ControlResult {
  const formats: readonly string[] = control.formats;
  const { counted, denials, unused, limits } = collect<Read>(context, {
    signedBy: control.signedBy,
    count: control.count,
    maxAge: milliseconds(control.maxAge),
    kinds: control.formats,
    wants: ({ kind }) => formats.includes(kind),
    read: (claim) => readReport(claim, control, context),
    same: ({ claim }) => `${claim.by} ${claim.kind}`,
  });
  const excuses = excusesOf(context);
  const judged = judge(
    counted.flatMap(({ value }) => value.vulnerabilities),
    control,
    excuses.find,
  );
  const packages = [...shown, ...counted.flatMap(({ value }) => value.packages)];
  return {
    evidence: [...counted.map(evidenceOf), ...judged.evidence],
    findings: judged.findings,
    denials: [
      ...denials,
      ...missingPlatforms(control, context, counted),
      ...judged.denials,
      ...expected(control, packages),
    ],
    unused: [...unused, ...excuses.unused],
    limits: [...limits, ...judged.limits],
  };
}

function readReport(claim: Claim, control: Control, context: Context): Read {
  const report = reportOf(claim, control);
  // Bound first: what is about another image is no news, however it looks.
  const platform = platformOf(claim, report.names, context);
  if (report.empty !== null) deny('EVIDENCE_EMPTY', report.empty);
  const database = report.database ?? databaseBeside(claim, report, context);
  assertDatabase(report.time, database, milliseconds(control.maxDatabaseAge));
  return { ...report, platform, database };
}

function reportOf(claim: Claim, control: Control): VulnerabilityReport {
  switch (claim.kind) {
    case 'trivy':
      return readTrivy(claim.body);
    case 'grype':
      return readGrype(claim.body);
    case 'vulns/v0.2':
      return readVulns(claim.body, control.method);
    default:
      return readCosignVuln(claim.body);
  }
}

function assertDatabase(time: number | null, database: number | null, maxAge: number): void {
  if (database === null) deny('EVIDENCE_UNDATED', UNDATED);
  if (time === null) return; // refused by its own age
  if (database! > time + SKEW) deny('EVIDENCE_CONTRADICTORY', 'its database is newer than the scan');
  if (time - database! > maxAge) deny('EVIDENCE_STALE', "the scanner's database was too old when it scanned");
}

const UNDATED =
  "it does not say how old the scanner's database was; sign the output of `trivy version --format json` beside it";

/** trivy's client names no date: what the same signer says of the same release of trivy, downloaded before the scan. */
function databaseBeside({ by }: Claim, report: VulnerabilityReport, { opened }: Context): number | null {
  const { time, version } = report;
  if (time === null || version === null) return null;
  const dates = opened.claims
    .filter((one) => one.kind === 'trivy-version' && one.by === by)
    .flatMap((one) => settled(() => readTrivyVersion(one.body)).value ?? [])
    .filter((one) => one.version === version && one.downloaded !== null && one.downloaded <= time)
    .flatMap(({ updated }) => updated ?? []);
  return dates.length === 0 ? null : Math.max(...dates);
}

function missingPlatforms(
  { count, formats }: Control,
  { policy, image }: Context,
  counted: readonly { readonly claim: Claim; readonly value: Read }[],
): Denial[] {
  const { json } = policy;
  if (json.image === 'none' || image === null || counted.length === 0) return [];
  return json.image.platforms.flatMap((wanted): Denial[] => {
    const of = counted.filter(({ value }) => value.platform.name === wanted);
    if (new Set(of.map(({ claim }) => `${claim.by} ${claim.kind}`)).size >= count) return [];
    const message = `${of.length} of ${count} reports (${formats.join(', ')}) are about ${wanted}`;
    return [{ code: 'MISSING_PLATFORM', message }];
  });
}

interface Judged {
  readonly findings: readonly GateFinding[];
  readonly denials: readonly Denial[];
  readonly limits: readonly number[];
  readonly evidence: readonly CountedEvidence[];
}

function judge(
  found: readonly Vulnerability[],
  control: Control,
  excuseFor: ReturnType<typeof excusesOf>['find'],
): Judged {
  const limitOf = limits(control);
  const findings = new Map<string, GateFinding>();
  const denials: Denial[] = [];
  const expiries: number[] = [];
  const evidence = new Map<string, CountedEvidence>();
  for (const one of found) {
    if (RANK[one.severity] < RANK[limitOf(one)]) continue;
    const key = `${one.id} ${one.package} ${one.severity}`;
    if (findings.has(key)) continue;
    const excuse = excuseFor(one);
    findings.set(key, findingOf(one, excuse));
    if (excuse === undefined) denials.push(vulnerable(one));
    else {
      expiries.push(excuse.expires);
      if (excuse.evidence !== null) evidence.set(excuse.evidence.digest, excuse.evidence);
    }
  }
  return { findings: [...findings.values()], denials, limits: expiries, evidence: [...evidence.values()] };
}

function vulnerable({ id, package: name, severity, fixed, suppressed }: Vulnerability): Denial {
  const where = name === null ? '' : ` in ${name}`;
  const how = fixed === null ? '' : `, fixed in ${fixed}`;
  const hidden =
    suppressed === null ? '' : `; the scanner left it out (${suppressed}), which excuses nothing here`;
  return { code: 'VULNERABLE', message: `${id} (${severity})${where}${how}${hidden}` };
}

/** The limit for a finding's package, if the policy has one of its own. */
function limits({ failOn, packages }: Control): (found: Vulnerability) => Control['failOn'] {
  const own = packages.map((one) => ({ purl: readPurl(one.package), failOn: one.failOn }));
  return ({ package: name }) => {
    const purl = name === null || own.length === 0 ? null : readPurl(name);
    const found = purl && own.find((one) => one.purl !== null && matches(one.purl, purl));
    return found ? found.failOn : failOn;
  };
}

/** A scanner that does not see a package says nothing about it. */
function expected({ expect }: Control, packages: readonly string[]): Denial[] {
  if (expect.length === 0) return [];
  const seen = packages.flatMap((text) => readPurl(text) ?? []);
  return expect
    .filter((text) => {
      const wanted = readPurl(text);
      return wanted === null || !seen.some((one) => matches(wanted, one));
    })
    .map((text) => ({
      code: 'EVIDENCE_EMPTY',
      message: 'no SBOM of the image shows a package that is expected',
      expected: text,
    }));
}
