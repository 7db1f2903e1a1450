// BLEU (Papineni 2002, tokens of mteval-v13a, exponential smoothing) and chrF2 (Popović 2015) of one sentence, as sacreBLEU defines
// them. Reported because people ask for them, and never a gate: an honest answer with an invite link appended scores higher than an
// honest paraphrase.

/** 0 to 100. */
export function bleu(before: string, after: string): number {
  const [reference, hypothesis] = [tokens13a(before), tokens13a(after)];
  const precisions: number[] = [];
  let smooth = 1;
  let any = false;
  for (let n = 1; n <= 4; n++) {
    const total = hypothesis.length - n + 1;
    if (total <= 0) break;
    const matches = matching(grams(hypothesis, n), grams(reference, n));
    any ||= matches > 0;
    if (matches === 0) smooth *= 2;
    precisions.push(matches === 0 ? 100 / (smooth * total) : (100 * matches) / total);
  }
  if (!any) return 0;
  const mean = precisions.reduce((sum, one) => sum + Math.log(one), 0) / precisions.length;
  const brevity =
    hypothesis.length < reference.length ? Math.exp(1 - reference.length / hypothesis.length) : 1;
  return brevity * Math.exp(mean);
}

/** 0 to 100. */
export function chrf(before: string, after: string): number {
  const [reference, hypothesis] = [[...before.replace(/\s/g, '')], [...after.replace(/\s/g, '')]];
  let [precision, recall, orders] = [0, 0, 0];
  for (let n = 1; n <= 6; n++) {
    const [ours, theirs] = [hypothesis.length - n + 1, reference.length - n + 1];
    if (ours <= 0 || theirs <= 0) continue;
    const matches = matching(grams(hypothesis, n), grams(reference, n));
    precision += matches / ours;
    recall += matches / theirs;
    orders++;
  }
  if (orders === 0 || precision + recall === 0) return 0;
  [precision, recall] = [precision / orders, recall / orders];
  return (100 * 5 * precision * recall) / (4 * precision + recall);
}

function tokens13a(text: string): string[] {
  const unescaped = text
    .replaceAll('<skipped>', '')
    .replaceAll('-\n', '')
    .replaceAll('\n', ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');
  return ` ${unescaped} `
    .replace(/([{-~[-` -&(-+:-@/])/g, ' $1 ')
    .replace(/([^0-9])([.,])/gu, '$1 $2 ')
    .replace(/([.,])([^0-9])/gu, ' $1 $2')
    .replace(/([0-9])(-)/g, '$1 $2 ')
    .split(/\s+/)
    .filter((token) => token !== '');
}

function grams(items: readonly string[], n: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + n <= items.length; i++) {
    const gram = items.slice(i, i + n).join('\u0000');
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

function matching(ours: ReadonlyMap<string, number>, theirs: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const [gram, count] of ours) sum += Math.min(count, theirs.get(gram) ?? 0);
  return sum;
}
