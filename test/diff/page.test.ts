// The page of a diff: whatever a model calls its parts, they are text; nothing leaves it; and it shows what is there.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse, type DefaultTreeAdapterTypes as Tree } from 'parse5';
import { type Browser, chromium, type Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { DETAILS, TENSORS } from '../../src/diff/page/columns.ts';
import type { PageData } from '../../src/diff/page/contract.ts';
import { islandJson, renderPage } from '../../src/diff/page/page.ts';
import { spotOf } from '../../src/diff/page/place.ts';
import type { DiffReport } from '../../src/diff/report/diff-report.ts';
import { inert } from '../../src/document/text/inert.ts';
import { patience } from '../kit/patience.ts';
import { packageRoot } from '../kit/root.ts';
import {
  adapterDiff,
  change,
  place,
  plantedDiff,
  report,
  sameDiff,
  seeded,
  tuning,
} from '../kit/specimen/diff-specimen.ts';
import { steelyard } from '../kit/steelyard.ts';

t.setTimeout(patience(120_000));

const html = (diff: DiffReport): string => [...renderPage(diff)].join('');

const NASTY = [
  '</script><script>pwned=1</script>',
  '</SCRIPT ><img src=x onerror=pwned=1>',
  '<!--<script>',
  '-->',
  ']]>',
  '"><svg onload=pwned=1>',
  "' onmouseover='pwned=1",
  '&lt;b&gt;&quot;&#x3c;',
  'javascript:pwned=1',
  'data:text/html,<script>pwned=1</script>',
  '`$' + '{pwned=1}`',
  '{{constructor.constructor("pwned=1")()}}',
  '\u202e\u2066\u200b\u2028\u2029\ufeff\u{e0041}',
  '\0',
  '\ud800',
  '\x1b[2J',
  '\\u003c/script\\u003e',
  '__proto__',
  'model.layers.3.mlp.weight',
  '模型.层',
];

/** Parts of the list above and any characters, glued. */
function hostileNames(count: number): string[] {
  const random = seeded(3);
  const part = (): string => {
    const choice = Math.floor(random() * (NASTY.length + 8));
    return NASTY[choice] ?? String.fromCharCode(Math.floor(random() * 0x10000));
  };
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + Math.floor(random() * 4) }, part).join(''),
  );
}

/** Foreign text in every place that text of others can reach; two changed tensors of three have figures. */
function hostileDiff(names: readonly string[]): DiffReport {
  const name = (index: number): string => names[index % names.length]!;
  const text = (index: number) => place(name(index), [4, 4], 'a');
  const planted = plantedDiff();
  const random = seeded(5);
  const tensors = names.map((called, index) => ({
    ...change(called, [4, 4], index % 3 === 0 ? null : tuning([4, 4], random(), random), name(index + 1)),
    good: { ...text(index + 2), file: name(index + 3), dtype: name(index + 4) },
  }));
  const embedding = planted.tensors[0]!.difference!;
  const first = {
    ...embedding,
    rows: {
      ...embedding.rows!,
      largest: embedding.rows!.largest.map((line, index) => ({ ...line, token: name(index) })),
    },
  };
  const adapter = adapterDiff();
  return {
    ...planted,
    complete: false,
    conclusions: planted.conclusions.map((conclusion, index) => ({
      ...conclusion,
      message: name(index),
      caveat: name(index + 1),
      evidence: conclusion.evidence.map((one) => ({ ...one, name: name(index), limit: name(index + 2) })),
      tensors: names.slice(0, 3),
    })),
    good: {
      ...planted.good,
      files: planted.good.files.map((file, index) => ({ ...file, path: name(index) })),
    },
    suspect: { ...planted.suspect, files: planted.suspect.files.map((file) => ({ ...file, path: name(9) })) },
    structure: names.slice(0, 50).map((_, index) => ({
      kind: 'renamed' as const,
      good: text(index),
      suspect: { ...text(index + 1), file: name(index), dtype: name(index) },
    })),
    files: names.slice(0, 50).map((path, index) => ({ path, good: name(index), suspect: null })),
    metadata: names.slice(0, 50).map((key, index) => ({
      file: name(index + 1),
      key,
      good: name(index + 2),
      suspect: name(index + 3),
    })),
    tensors: [{ ...tensors[0]!, difference: first, reason: null }, ...tensors.slice(1)],
    adapter: {
      ...adapter,
      modules: adapter.modules.map((module, index) => ({
        ...module,
        module: name(index),
        reason: name(index + 1),
      })),
      population: {
        ...adapter.population!,
        pValue: null,
        reason: name(0),
        statistics: adapter.population!.statistics.map((one, index) => ({ ...one, name: name(index) })),
      },
    },
    errors: names.slice(0, 5).map((file, index) => ({
      code: 'IO' as const,
      file,
      errno: name(index + 1),
      message: name(index + 2),
    })),
  };
}

/** Every element with its attributes, in order; and what is in scripts and styles. */
function skeleton(page: string): { elements: string[]; texts: Map<string, string> } {
  const elements: string[] = [];
  const texts = new Map<string, string>();
  const walk = (node: Tree.Node): void => {
    if ('tagName' in node) {
      const attributes = node.attrs.map(({ name, value }) => `${name}=${value}`);
      const key = `${node.tagName} ${attributes.join(' ')}`.trim();
      elements.push(key);
      const text = node.childNodes.map((child) => ('value' in child ? child.value : '')).join('');
      texts.set(key, text);
    } else if (node.nodeName === '#comment') elements.push('comment');
    if ('childNodes' in node) node.childNodes.forEach(walk);
  };
  walk(parse(page));
  return { elements, texts };
}

const ISLAND = 'script type=application/json id=report';

t.test('100,000 hostile names become no element, no attribute and no character that hides', (t) => {
  const names = hostileNames(100_000);
  const page = html(hostileDiff(names));
  const expected = skeleton(html(sameDiff()));
  const { elements, texts } = skeleton(page);
  t.same(elements, expected.elements);
  const island = texts.get(ISLAND)!;
  t.notMatch(island, /[<>&\u2028\u2029]/);
  const data: PageData = JSON.parse(island);
  t.equal(data.tensors.name.length, names.length);
  let strings = 0;
  let bare: string | undefined;
  const look = (value: unknown): void => {
    if (typeof value === 'string') {
      strings += 1;
      if (/[\p{C}\p{Zl}\p{Zp}\u200b]/u.test(value)) bare ??= value;
    } else if (value !== null && typeof value === 'object')
      for (const part of Object.values(value)) look(part);
  };
  look(data);
  t.equal(bare, undefined, 'every string is inert');
  t.ok(strings > 200_000, `${strings} strings`);
  t.same(
    data.tensors.name.slice(0, 99),
    names.slice(0, 99).map((name) => inert(name)),
  );
  t.comment(`${(page.length / 1e6).toFixed(1)} MB with 100,000 tensors`);
  t.end();
});

t.test('nothing runs but the script whose hash is in the policy', (t) => {
  const { elements, texts } = skeleton(html(plantedDiff()));
  const policy = elements.find((element) => element.includes('Content-Security-Policy'))!;
  const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  t.match(policy, /default-src 'none'/);
  t.ok(policy.includes(`script-src ${hashOf(texts.get('script')!)};`), 'script');
  t.ok(policy.includes(`style-src ${hashOf(texts.get('style')!)};`), 'style');
  t.notMatch(policy, /unsafe|https?:|data:|blob:|\*/);
  t.equal(elements.filter((element) => element.startsWith('script')).length, 2);
  const size = html(sameDiff()).length;
  t.ok(size < 600_000, `${size} bytes without data`);
  t.comment(`${(size / 1000).toFixed(0)} kB without data`);
  t.end();
});

t.test('JSON in HTML is the same value again', (t) => {
  const value = { text: '</script><!--&\u2028', list: [1, null], '<': '>' };
  const text = islandJson(value);
  t.notMatch(text, /[<>&\u2028]/);
  t.same(JSON.parse(text), value);
  t.end();
});

t.test('a page has an end, and says where', (t) => {
  const random = seeded(1);
  const small = tuning([2, 2], 1e-4, random);
  const many = Array.from({ length: TENSORS + 1 }, (_, index) => {
    // The first are in nobody's way, though nothing says how much they changed.
    if (index >= 100 && index < 100 + DETAILS) return change(`t.${index}`, [2, 2], null, 'another shape');
    return change(`t.${index}`, [2, 2], index === 5 ? { ...small, relativeNorm: 1e-9 } : small);
  });
  const [edit] = plantedDiff().conclusions;
  const conclusions: DiffReport['conclusions'] = [
    { ...edit!, tensors: ['t.70000'] },
    { ...edit!, kind: 'fine-tune', concern: 'recipe', tensors: many.map(({ suspect }) => suspect.name) },
  ];
  const { texts } = skeleton(html(report({ tensors: many, conclusions })));
  const data: PageData = JSON.parse(texts.get(ISLAND)!);
  t.same([data.changed, data.tensors.name.length], [TENSORS + 1, TENSORS]);
  t.notOk(data.tensors.name.includes('t.5'), 'what changed least is left out');
  t.equal(Object.keys(data.details).length, DETAILS);
  const at = data.conclusions.items[0]!.tensors.items[0]!.at;
  t.equal(data.tensors.name[at], 't.70000');
  t.ok(data.details[at], 'what a conclusion names is there in full');
  t.end();
});

t.test('a name says in which layer a tensor is', (t) => {
  t.same(spotOf('model.layers.17.mlp.down_proj.weight'), {
    layer: 17,
    module: 'model.layers.*.mlp.down_proj.weight',
  });
  t.same(spotOf('blk.3.experts.11.w'), { layer: 3, module: 'blk.*.experts.*.w' });
  t.same(spotOf('lm_head.weight'), { layer: -1, module: 'lm_head.weight' });
  t.same(spotOf('layers.4294967295.w'), { layer: -1, module: 'layers.4294967295.w' });
  t.end();
});

t.test('steelyard diff --format html writes it', async (t) => {
  const folder = t.testdir({});
  const good = join(packageRoot, 'fixtures', 'real', 'reference-f16.safetensors');
  const bytes = readFileSync(good);
  bytes[bytes.length - 2]! ^= 1;
  const suspect = join(folder, 'suspect.safetensors');
  writeFileSync(suspect, bytes);
  const output = join(folder, 'diff.html');
  const ended = await steelyard(['diff', good, suspect, '--format', 'html', '-o', output]);
  t.same([ended.code, ended.stdout], [1, ''], ended.stderr);
  const { elements, texts } = skeleton(readFileSync(output, 'utf8'));
  t.same(elements, skeleton(html(sameDiff())).elements);
  const data: PageData = JSON.parse(texts.get(ISLAND)!);
  t.same([data.outcome, data.changed, data.tensors.changed], ['changed', 1, [1]]);
});

const CHROMIUM = process.env.STEELYARD_CHROMIUM ?? '/usr/bin/chromium';
const absent = existsSync(CHROMIUM)
  ? false
  : `NOT TESTED: the page in a browser: there is no Chromium at ${CHROMIUM} (STEELYARD_CHROMIUM names another)`;

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

t.test('in Chromium', { skip: absent }, async (t) => {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  t.teardown(() => browser.close());
  const open = opener(browser, t);

  await t.test('what was planted is seen first, found by search, and shown closely', async (t) => {
    const page = await open(plantedDiff());
    t.equal(await page.locator('h1').textContent(), 'Changed in a way that looks like tampering');
    t.match(await page.locator('.sentences').textContent(), /has rank one.*3 rows of/s);
    t.equal(await page.locator('#map rect[role="button"]').count(), 289);
    t.match(
      await page.locator('#map rect[aria-pressed="true"]').getAttribute('aria-label'),
      /^layer 17, .*down_proj.*0\.0712/,
      'the cell of the first conclusion',
    );
    t.equal(await page.locator('#tensor .charts figure').count(), 4);
    t.match(await page.locator('#tensor svg').first().getAttribute('aria-label'), /Singular values/);

    const rows = page.locator('#tensors tbody tr');
    t.equal(await rows.count(), 50);
    t.match(await page.locator('#tensors .told').textContent(), /^50 of 289 tensors shown/);
    await page.getByRole('searchbox', { name: /tensors whose bytes changed/ }).fill('LAYERS.17. down');
    t.equal(await rows.count(), 1);
    await page.getByRole('searchbox', { name: /tensors whose bytes changed/ }).fill('');
    await page.locator('#tensors').getByRole('button', { name: '‖Δ‖ / ‖good‖' }).click();
    t.equal(await rows.first().locator('button').textContent(), 'model.layers.17.mlp.down_proj.weight');
    t.equal(await page.locator('#tensors th[aria-sort="descending"]').count(), 1);

    await page.locator('#conclusions').getByRole('button', { name: 'model.embed_tokens.weight' }).click();
    t.match(await page.locator('#tensor').innerText(), /3 of 128,256 rows changed.*3 kept their norm/);
    t.match(await page.locator('#tensor').innerText(), /31,337\s+Ġcf/, 'rows are named by token');
    t.match(await page.locator('#tensor').innerText(), /\\u\{202e\}txt\.exe/, 'and tokens are inert');
    t.match(await page.locator('footer').textContent(), /Everything was looked at/);
  });

  await t.test('the map is used with the keyboard', async (t) => {
    const page = await open(plantedDiff());
    const label = () => page.evaluate<string>('document.activeElement.getAttribute("aria-label")');
    await page.locator('#map rect[tabindex="0"]').focus();
    t.match(await label(), /^model\.embed_tokens/);
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key);
    t.match(await label(), /^layer 2, .*self_attn\.q_proj/);
    await page.keyboard.press('Enter');
    t.equal(await page.locator('#tensor h3').textContent(), 'model.layers.2.self_attn.q_proj.weight');
    t.equal(await page.locator('#map rect[tabindex="0"]').count(), 1, 'one tab stop');
  });

  await t.test('adapters', async (t) => {
    const page = await open({ ...sameDiff(), outcome: 'changed', adapter: adapterDiff() });
    t.equal(await page.locator('#adapter rect[role="button"]').count(), 96);
    t.match(await page.locator('.population').innerText(), /rank 1 of 25.*p = 0\.04/s);
    await page.locator('#adapter').getByRole('button', { name: 'σ₁' }).click();
    await page.locator('#adapter tbody button').first().click();
    t.match(await page.locator('#module h3').textContent(), /down_proj$/);
  });

  await t.test('the same is not called clean, and what failed is told', async (t) => {
    const same = await open(sameDiff());
    t.match(await same.locator('body').innerText(), /The same, byte for byte.*No anomaly found/s);
    const error = { code: 'IO', file: 'b.safetensors', message: 'read failed' } as const;
    const page = await open(report({ outcome: 'error', complete: false, errors: [error] }));
    t.match(await page.locator('header').innerText(), /not complete.*No verdict/is);
    t.match(await page.locator('footer').innerText(), /NOT COMPLETE: 1 error/);
    t.match(await page.locator('#errors').innerText(), /b\.safetensors\s+read failed/);
  });

  await t.test('hostile names are text', async (t) => {
    const names = [...NASTY, ...hostileNames(500)];
    const page = await open(hostileDiff(names));
    const text = await page.locator('body').textContent();
    for (const name of NASTY) t.ok(text!.includes(inert(name)), inert(name));
    const found = await page.evaluate(`({
      pwned: 'pwned' in globalThis,
      foreign: document.querySelectorAll('img,iframe,object,embed,a,link,form,base,video,audio').length,
      handlers: [...document.querySelectorAll('*')].filter((one) =>
        [...one.attributes].some(({ name }) => name.startsWith('on') || name === 'href' || name === 'src'),
      ).length,
    })`);
    t.same(found, { pwned: false, foreign: 0, handlers: 0 });
  });

  await t.test('100,000 changed tensors can be looked through', async (t) => {
    const random = seeded(2);
    const difference = { ...tuning([2, 2], 0.01, random), rows: null, columns: null };
    const tensors = Array.from({ length: 100_000 }, (_, index) =>
      change(`model.layers.${index % 64}.experts.${index}.w`, [2, 2], difference),
    );
    const page = await open(report({ tensors }));
    t.match(await page.locator('#tensors .told').textContent(), /^50 of 100,000 tensors shown/);
    await page.locator('#tensors input').fill('experts.99999.');
    t.equal(await page.locator('#tensors tbody tr').count(), 1);
    t.ok((await page.locator('*').count()) < 5000, 'the document stays small');
  });

  await t.test('no barrier that axe knows, light and dark', async (t) => {
    // axe brings a script of its own, which the policy would not let in.
    const context = await browser.newContext({ bypassCSP: true });
    const planted = plantedDiff();
    const diff = { ...planted, tensors: planted.tensors.slice(0, 30), adapter: adapterDiff() };
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await context.newPage();
      await page.emulateMedia({ colorScheme });
      await page.goto(written(t, diff));
      await page.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') });
      const { violations } = await page.evaluate<Axe>(
        colorScheme === 'light' ? 'axe.run()' : 'axe.run({ runOnly: ["color-contrast"] })',
      );
      t.same(
        violations.map(({ id, nodes }) => [id, nodes.slice(0, 3).map(({ html }) => html)]),
        [],
        colorScheme,
      );
    }
  });

  await t.test('the picture in the documentation', async (t) => {
    const picture = join(packageRoot, 'docs', 'diff.png');
    if (process.env.STEELYARD_UPDATE_GOLDEN === '1') {
      const page = await open(plantedDiff());
      await page.setViewportSize({ width: 1180, height: 900 });
      await page.locator('#map rect[role="button"]').first().click();
      await page.mouse.move(0, 0);
      const { y, height } = (await page.locator('#map').boundingBox())!;
      writeFileSync(
        picture,
        await page.screenshot({ clip: { x: 0, y: 0, width: 1180, height: y + height + 24 }, fullPage: true }),
      );
    }
    t.ok(statSync(picture).size <= 300_000, `${statSync(picture).size} bytes`);
    t.match(readFileSync(join(packageRoot, 'docs', 'diff.md'), 'utf8'), /!\[.+\]\(diff\.png\)/);
  });
});

interface Axe {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

function written(t: Test, diff: DiffReport): string {
  const folder = t.testdir({ 'diff.html': html(diff) });
  return pathToFileURL(join(folder, 'diff.html')).href;
}

/** Opens a page as a user would, from a file; whatever it says on the console or asks for fails the test. */
function opener(browser: Browser, t: Test): (diff: DiffReport) => Promise<Page> {
  let opened = 0;
  return async (diff) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const folder = t.testdir({});
    const path = join(folder, `${opened++}.html`);
    writeFileSync(path, html(diff));
    const { href } = pathToFileURL(path);
    page.on('console', (message) => t.fail(`console: ${message.text()}`));
    page.on('pageerror', (error) => t.fail(`error: ${error.message}`));
    page.on('request', (request) => {
      if (request.url() !== href) t.fail(`request: ${request.url()}`);
    });
    await page.goto(href);
    return page;
  };
}
