// Every chat template of a model, and what they say of each other. A template runs at each request and writes what the model
// reads, so who changes it changes the model without touching a weight. Pure.

import { quoted } from '../../../document/violations.ts';
import { type Finding, toFinding } from '../../../rules/finding.ts';
import type { RuleId } from '../../../rules/rules.ts';
import { type Check, unhurried } from '../../../runtime/turn.ts';
import type { MeasuredFile } from '../../measure/measured.ts';
import { type FileTemplates, templateDigest } from '../../profile/template/collect.ts';
import type { Template } from '../../profile/template/template.ts';
import { checkTemplate } from './check.ts';
import { disagreements } from './disagreement.ts';
import { knownTemplate } from './known.ts';
import type { Observation } from './observation.ts';

/** More templates than any model has; a file with a million would keep us busy for days. */
const MOST_TEMPLATES = 64;

/** `templates` are what `templatesOf` found in each file. */
export function inspectTemplates(
  files: readonly MeasuredFile[],
  templates: readonly FileTemplates[],
  check: Check = unhurried,
): Finding[] {
  const findings: Finding[] = [];
  const checked = new Map<string, Observation[]>();
  for (const [i, file] of files.entries()) {
    const { path } = file.entry;
    const found = templates[i]!;
    const add = (rule: RuleId, message: string, offset?: number): void => {
      findings.push(toFinding({ rule, file: path, message, ...(offset === undefined ? {} : { offset }) }));
    };
    for (const { rule, message, offset } of found.problems.slice(0, MOST_TEMPLATES))
      add(rule, message, offset);
    if (found.templates.length > MOST_TEMPLATES) {
      add(
        'template/too-large',
        `${found.templates.length} templates: the first ${MOST_TEMPLATES} are looked at`,
      );
    }
    const looked = found.templates.slice(0, MOST_TEMPLATES);
    for (const template of looked) {
      check();
      const observations = checked.get(template.text) ?? checkTemplate(template.text, check);
      checked.set(template.text, observations);
      for (const observation of observations)
        add(observation.rule, said(template, observation), template.offset);
    }
    for (const { name, why, offset } of hidden({ ...found, templates: looked })) {
      add('template/hidden', `chat template ${quoted(name)} ${why}`, offset);
    }
  }
  findings.push(...disagreements(files, templates));
  return findings;
}

function said({ name, text }: Template, { line, message, more }: Observation): string {
  const others = more === 0 ? '' : more === 1 ? '; and 1 more place' : `; and ${more} more places`;
  const known = knownTemplate(templateDigest(text));
  const origin =
    known === undefined ? '' : ` (the text is ${quoted(known.family)} of ${known.source}, unchanged)`;
  return `chat template ${quoted(name)}, line ${line}: ${message}${others}${origin}`;
}

interface Hidden {
  readonly name: string;
  readonly why: string;
  readonly offset?: number;
}

/** Templates that a reviewer who reads the default one does not expect. */
function hidden({ templates, announced }: FileTemplates): Hidden[] {
  const found: Hidden[] = [];
  const standard = templates.find(({ name }) => name === 'default');
  const markers = new Set(markersOf(standard?.text ?? ''));
  for (const template of templates) {
    const { name, text, offset } = template;
    if (template === standard) continue;
    const place = { name, ...(offset === undefined ? {} : { offset }) };
    const others = markersOf(text);
    if (announced !== null && !announced.includes(name)) {
      found.push({ ...place, why: 'is not in the list of templates' });
    } else if (markers.size > 0 && others.length > 0 && !others.some((marker) => markers.has(marker))) {
      // tool_use and rag are longer than the default, but they are for the same model and mark its turns alike.
      found.push({ ...place, why: 'marks turns with none of the tokens of the default one' });
    }
  }
  for (const name of announced ?? []) {
    if (
      name !== 'default' &&
      found.length < MOST_TEMPLATES &&
      !templates.some((template) => template.name === name)
    ) {
      found.push({ name, why: 'is announced and not there' });
    }
  }
  return found;
}

const markersOf = (text: string): string[] =>
  text.match(/<[|｜/]?[\w▁-]{2,40}[|｜]?>|\[\/?[A-Z_]{2,20}\]/g) ?? [];
