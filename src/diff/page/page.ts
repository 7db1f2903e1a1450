// A diff as one HTML file that needs nothing else: no network, no server, no other file. It is opened by people who look into
// a model that somebody tampered with, so names from that model must not become markup, script or an address.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../runtime/package.ts';
import type { DiffReport } from '../report/diff-report.ts';
import { pageData } from './island.ts';

/**
 * The page, in pieces. Foreign strings are in it once, inert and as JSON; the script puts them in place as text. Nothing runs
 * or styles but what is named by its hash, no address is ever fetched, and Trusted Types forbid the script itself to parse markup.
 */
export function* renderPage(report: DiffReport): Generator<string, void, undefined> {
  const script = built('main.js');
  const style = built('style.css');
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy.join('; ')}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Steelyard diff</title>
<style>${style}</style>
</head>
<body>
<noscript>This page is drawn by its own script, which is switched off here. The same report: steelyard diff --format text or json.</noscript>
<script type="application/json" id="report">`;
  yield islandJson(pageData(report));
  yield `</script>
<script>${script}</script>
</body>
</html>
`;
}

/**
 * JSON that no HTML parser sees an end tag, a comment or an entity in, and in which no line separator is left (U+2028 ends a
 * line of JavaScript, not one of JSON). All of it is inside strings, where \\u is the same character.
 */
export const islandJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** What `npm run build:page` made of client/. The same for the compiled tests, which lie in another folder. */
const built = (name: string): string =>
  readFileSync(join(PACKAGE_ROOT, 'dist', 'diff', 'page', 'client', name), 'utf8').trim();

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
