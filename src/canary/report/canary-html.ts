// A comparison as one page that a product owner reads: links first, then what was said before and now, side by side, with the words that
// changed and the probabilities where the answers part. No script, no network; every foreign string goes through one escaper.
import { createHash } from 'node:crypto';
import { diffWordsWithSpace } from 'diff';
import { inert } from '../../document/text/inert.ts';
import type { Canary, CanaryFinding, CanaryPair } from '../compare/canary-schema.ts';

const STYLE = `
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:75rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #8886}
.outcome{padding:.5rem 1rem;border:2px solid;border-radius:.4rem;font-weight:600}
.fail{border-color:#c62828}.error{border-color:#b26a00}.pass{border-color:#2e7d32}
.sides{display:grid;grid-template-columns:1fr 1fr;gap:1rem}
.sides>div,pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid #8886;border-radius:.4rem;padding:.6rem}
ins{background:#2e7d3233;text-decoration:underline}del{background:#c6282833}
.bar{display:grid;grid-template-columns:8rem 1fr 1fr;gap:.4rem;font-variant-numeric:tabular-nums}
meter{width:100%}.waived{opacity:.6}small{opacity:.8}
@media(max-width:45rem){.sides{grid-template-columns:1fr}}
`;
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;
const WORDS = {
  pass: 'Pass: no finding counts',
  fail: 'Fail: findings count',
  error: 'No verdict: not everything could be compared',
};
const SHOWN = 200;

export function renderCanaryHtml(canary: Canary): string {
  const { outcome, findings, inconclusive, pairs } = canary;
  const links = findings.filter(({ rule }) => LINKS.has(rule));
  const others = findings.filter(({ rule }) => !LINKS.has(rule));
  const shown = pairs.filter(({ texts }) => texts !== undefined).slice(0, SHOWN);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>Canary: ${outcome}</title><style>${STYLE}</style></head><body><main>
<h1>What does the new release say that the old one did not?</h1>
<p class="outcome ${outcome}">${WORDS[outcome]}</p>
${sidesTable(canary)}
<h2>Where answers lead</h2>
${links.length === 0 ? '<p>No link that is new or not allowed.</p>' : findingTable(links)}
<h2>Other findings</h2>
${others.length === 0 ? '<p>None.</p>' : findingTable(others)}
${inconclusive.length === 0 ? '' : `<h2>What could not be said</h2><ul>${inconclusive.map(({ code, message }) => `<li><code>${safe(code)}</code> ${safe(message)}</li>`).join('')}</ul>`}
<h2>Answers side by side</h2>
${shown.length === 0 ? '<p>No pair differs.</p>' : shown.map(pairSection).join('\n')}
<p><small>Not seen: triggers of several words or of meaning that the suite lacks, plants in both releases, and what comes after the recorded tokens. BLEU and chrF are reported and never a gate.</small></p>
</main></body></html>
`;
}

const LINKS = new Set([
  'canary/new-host',
  'canary/link-disallowed',
  'canary/markdown-image',
  'canary/homoglyph',
]);

function sidesTable({ old, new: side, coverage, floor, threshold }: Canary): string {
  const rows: (readonly [string, string, string])[] = [
    ['Release', old?.release?.bom ?? '–', side.release?.bom ?? '–'],
    ['Tied by', old?.tie ?? '–', side.tie],
    ['Engine', old?.engine ?? '–', side.engine ?? '–'],
    ['Asked', old?.startedAt ?? '–', side.startedAt],
  ];
  const cells = rows.map(
    ([name, a, b]) => `<tr><th scope="row">${name}</th><td>${safe(a)}</td><td>${safe(b)}</td></tr>`,
  );
  const noise = `floor ${floor?.toExponential(1) ?? 'not measured'}, threshold ${threshold?.toExponential(1) ?? '–'}`;
  return `<table><thead><tr><th></th><th scope="col">Old</th><th scope="col">New</th></tr></thead><tbody>${cells.join('')}</tbody></table>
<p>${coverage.compared} of ${coverage.prompts} prompts compared, ${coverage.controls} controls, ${noise}.</p>`;
}

const findingTable = (findings: readonly CanaryFinding[]): string =>
  `<table><thead><tr><th scope="col">Severity</th><th scope="col">Prompt</th><th scope="col">What</th></tr></thead><tbody>${findings
    .slice(0, SHOWN)
    .map(findingRow)
    .join('')}</tbody></table>${findings.length > SHOWN ? `<p>and ${findings.length - SHOWN} more</p>` : ''}`;

function findingRow({ severity, rule, prompt, message, quote, waived }: CanaryFinding): string {
  const said = quote === undefined ? '' : `<br><q>${safe(quote)}</q>`;
  const accepted =
    waived === undefined ? '' : `<br><small>waived until ${waived.expires}: ${safe(waived.reason)}</small>`;
  return `<tr${waived === undefined ? '' : ' class="waived"'}><td>${severity}</td><td>${safe(prompt ?? 'the run')}</td><td><code>${rule}</code> ${safe(message)}${said}${accepted}</td></tr>`;
}

function pairSection({ prompt, texts, divergence, bleu, chrf, same }: CanaryPair): string {
  const { before, after, prompt: asked } = texts!;
  const [left, right] = same ? [safeText(before), safeText(after)] : worded(before, after);
  return `<section><h3>${safe(prompt)}</h3><p>${safeText(asked)}</p>
<div class="sides"><div>${left}</div><div>${right}</div></div>
<p><small>BLEU ${bleu}, chrF ${chrf}</small></p>${divergence === null ? '' : strip(divergence)}</section>`;
}

function worded(before: string, after: string): [string, string] {
  let [left, right] = ['', ''];
  for (const { value, added, removed } of diffWordsWithSpace(before, after, { timeout: 1000 }) ?? [
    { value: after, added: true, removed: false },
  ]) {
    const text = safeText(value);
    if (!added) left += removed ? `<del>${text}</del>` : text;
    if (!removed) right += added ? `<ins>${text}</ins>` : text;
  }
  return [left, right];
}

/** The likeliest words before and now, where the answers lie furthest apart. */
function strip({ js, position, compared, before, after }: NonNullable<CanaryPair['divergence']>): string {
  const now = new Map(after);
  const then = new Map(before);
  const bars = [...new Set([...then.keys(), ...now.keys()])].slice(0, 8).map((word) => {
    const [a, b] = [then.get(word) ?? 0, now.get(word) ?? 0];
    const meter = (value: number, when: string): string =>
      `<span><meter min="0" max="1" value="${value}" aria-label="${when}: ${percent(value)}"></meter> ${percent(value)}</span>`;
    return `<div class="bar"><code>${safe(word)}</code>${meter(a, 'before')}${meter(b, 'now')}</div>`;
  });
  return `<p><small>Divergence ${js.toExponential(1)} at token ${position + 1} of ${compared}: before and now</small></p>${bars.join('')}`;
}

const percent = (value: number): string => `${(100 * value).toFixed(value < 0.1 ? 2 : 0)} %`;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const markup = (text: string): string => text.replace(/[&<>"']/g, (one) => entities[one]!);
const safe = (text: string): string => markup(inert(text));
/** A text of several lines: each line by itself, so that its breaks stay. */
const safeText = (text: string): string =>
  text
    .split('\n')
    .map((line) => markup(line.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (one) => inert(one))))
    .join('\n');
