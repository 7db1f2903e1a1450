// The table as a picture: one bar per case and thread count, and the line that openssl alone draws.
import type { Measured } from './bench.ts';

const WIDTH = 860;
const LABELS = 300;
const BAR = 12;
const GAP = 10;
const COLOURS: Readonly<Record<string, string>> = {
  'steelyard scan --threads 1': '#2f6f9f',
  'steelyard scan --threads 2': '#8fbfdf',
};

export function chart(all: readonly Measured[]): string {
  const rows = all.map(({ name, results }) => ({
    name,
    bars: results.filter(({ tool }) => tool in COLOURS),
  }));
  const most = Math.max(1.25, ...rows.flatMap(({ bars }) => bars.map(({ ratio }) => ratio[0])));
  const scale = (WIDTH - LABELS - 60) / most;
  const lines: string[] = [];
  let y = 50;
  for (const { name, bars } of rows) {
    lines.push(
      `<text x="${LABELS - 10}" y="${y + (bars.length * BAR) / 2 + 4}" text-anchor="end">${name}</text>`,
    );
    for (const { tool, ratio } of bars) {
      const width = ratio[0] * scale;
      lines.push(
        `<rect x="${LABELS}" y="${y}" width="${width.toFixed(1)}" height="${BAR - 1}" fill="${COLOURS[tool]}"/>`,
      );
      lines.push(`<text x="${(LABELS + width + 5).toFixed(1)}" y="${y + 10}">${ratio[0].toFixed(2)}</text>`);
      y += BAR;
    }
    y += GAP;
  }
  const one = LABELS + scale;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + 10}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="white"/>
<text x="10" y="18" font-size="13">Time of a whole scan; 1 = openssl dgst -sha256 of the same files, alone</text>
<rect x="10" y="26" width="11" height="11" fill="${COLOURS['steelyard scan --threads 1']}"/><text x="25" y="36">1 thread</text>
<rect x="90" y="26" width="11" height="11" fill="${COLOURS['steelyard scan --threads 2']}"/><text x="105" y="36">2 threads</text>
${lines.join('\n')}
<line x1="${one}" x2="${one}" y1="42" y2="${y}" stroke="#b03030" stroke-dasharray="4 3"/>
</svg>
`;
}
