// A verdict for people: first whether, then what blocks and who can unblock it, then what counted. Every foreign string is made inert.
import { inert } from '../../document/text/inert.ts';
import { type GatePolicy, signersOf } from '../release-policy/release-policy.ts';
import type { Denial } from './denial.ts';
import type { ControlVerdict, Verdict } from './verdict.ts';

/** Refusals that are shown of one control; a report can have thousands. */
const SHOWN = 20;

export function verdictText(verdict: Verdict, policy: GatePolicy): string {
  const { outcome, release, environment, refusals, validUntil } = verdict;
  const name = release.name === null ? '' : `${inert(release.name)} `;
  const what = `${name}${release.digest} for ${inert(environment)}`;
  const blocks = [...new Set(refusals.map(({ control }) => control ?? 'release'))];
  const lines =
    outcome === 'promote'
      ? [`PROMOTE  ${what}`, `         valid until ${validUntil} if nothing else changes`]
      : [`REFUSE  ${what}`, ...blocks.flatMap((control) => blocked(control, refusals, verdict, policy))];
  return `${[...lines, '', ...verdict.controls.flatMap(counted), ...approvalLines(verdict), ...unused(verdict), lastLine(verdict)].join('\n')}\n`;
}

const lastLine = ({ outcome, refusals }: Verdict): string =>
  outcome === 'promote' ? 'exit 0: promoted' : `${refusals.length} refusals   exit 1: refused`;

function blocked(
  control: string,
  refusals: readonly Denial[],
  verdict: Verdict,
  policy: GatePolicy,
): string[] {
  const own = refusals.filter((one) => (one.control ?? 'release') === control);
  const more = own.length > SHOWN ? [`    and ${own.length - SHOWN} more`] : [];
  const who = unblockers(control, own, verdict, policy);
  return [`  ${control}`, ...own.slice(0, SHOWN).map(denialLine), ...more, `    who can unblock it: ${who}`];
}

export function denialLine({ code, file, message, expected, actual }: Denial): string {
  const where = file === undefined ? '' : `${inert(file)}: `;
  const values = [
    ...(expected === undefined ? [] : [`expected ${inert(expected)}`]),
    ...(actual === undefined ? [] : [`actual ${inert(actual)}`]),
  ];
  return `    ${code}  ${where}${inert(message, 400)}${values.length === 0 ? '' : ` (${values.join(', ')})`}`;
}

/** Whose signature is missing; the owner of the policy can always change what it demands, and must sign for it. */
function unblockers(
  control: string,
  own: readonly Denial[],
  { approvals }: Verdict,
  { json }: GatePolicy,
): string {
  const signers = (names: readonly string[]): string => [...new Set(names)].join(', ');
  if (control === 'approvals') {
    const approved = new Set(approvals.counted.map(({ person }) => person));
    return json.approvals.of.filter((person) => !approved.has(person)).join(', ') || 'whoever rejected it';
  }
  if (control === 'policy') return 'the owner of the gate policy';
  if (control === 'mbom') return signers(json.release.mbom.signedBy);
  if (control === 'model') return signers(json.release.model.signedBy);
  if (control === 'scan')
    return 'signedBy' in json.release.scan ? signers(json.release.scan.signedBy) : 'a scan that passes';
  if (control === 'image')
    return json.image === 'none' ? 'the owner of the gate policy' : signers(json.image.signedBy);
  if (control === 'recalls') return signers(json.recalls.signedBy);
  const found = json.controls.find(({ id }) => id === control);
  if (found === undefined) return 'the owner of the gate policy';
  const excuse = own.some(({ code }) => code === 'VULNERABLE') ? (json.exceptions.vex?.signedBy ?? []) : [];
  const by = signers(signersOf(found));
  return excuse.length === 0 ? by : `${by}; by an exception: ${signers(excuse)}`;
}

function counted({ id, kind, outcome, evidence, findings, notes }: ControlVerdict): string[] {
  const files = evidence.map(
    ({ file, line, by }) => `${inert(file)}${line === null ? '' : `:${line}`} by ${inert(by)}`,
  );
  const head = `${outcome === 'pass' ? 'pass  ' : 'fail  '}  ${id}${id === kind ? '' : ` (${kind})`}`;
  const excused = findings
    .filter(({ exception }) => exception !== null)
    .map(
      ({ id: name, exception }) =>
        `          ${inert(name)} is excused by ${inert(exception!.by)} until ${exception!.expires}: ${inert(exception!.reason)}`,
    );
  return [
    files.length === 0 ? head : `${head}: ${files.slice(0, 8).join(', ')}${files.length > 8 ? ', …' : ''}`,
    ...excused.slice(0, SHOWN),
    ...notes.map((note) => `          note: ${inert(note)}`),
  ];
}

function approvalLines({ approvals }: Verdict): string[] {
  const { need, counted: list, notCounted } = approvals;
  if (need === 0) return ['approvals were not judged'];
  const persons = list.map(({ person, expires }) => `${person} until ${expires}`).join(', ');
  return [
    `${list.length >= need ? 'pass  ' : 'fail  '}  approvals: ${list.length} of ${need}${persons === '' ? '' : ` (${persons})`}`,
    ...notCounted.slice(0, SHOWN).map((one) => `      not counted${denialLine(one).slice(3)}`),
  ];
}

const unused = ({ unused: list }: Verdict): string[] =>
  list.length === 0
    ? []
    : [
        'not used:',
        ...list
          .slice(0, SHOWN)
          .map(
            ({ file, line, reason }) =>
              `  ${inert(file)}${line === null ? '' : `:${line}`}: ${inert(reason, 300)}`,
          ),
        ...(list.length > SHOWN ? [`  and ${list.length - SHOWN} more`] : []),
      ];
